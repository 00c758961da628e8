"""The calculation proxy: stateless apps behind the bridge, at the paths that they have themselves."""
