"""The bridge from Dialogporten's write actions to Altinn 2 and Altinn 3."""
