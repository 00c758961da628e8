"""Dialogporten: its APIs for service owners and end users, GraphQL and subscriptions."""
