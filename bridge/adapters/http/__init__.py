"""HTTP to other systems: sessions, connections, certificates, and the one table of transport errors."""
