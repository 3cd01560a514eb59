"""`mbu-tf study`: the blind two-alternative user study of table 4."""
