"""The command `mbu-tf`: one file per subcommand, each thin over the library."""
