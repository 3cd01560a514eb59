"""The trainer that methods share, and one file per method."""
