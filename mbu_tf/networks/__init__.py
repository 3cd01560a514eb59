"""The networks of appendix A: shapes only, no losses."""
