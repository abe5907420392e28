"""The `mxgw-py` command."""
