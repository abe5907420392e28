"""The `mxgw-py` command: thin commands over `zb_mom_ww_mxgateway`.

`app` lists the commands; each group of them has a module in `commands`. `connection_options` holds the options of every
command that talks to a gateway, `output` writes, `outcome` decides the exit code. Whatever is heavy (grpc, pandas,
matplotlib) is imported by the command that needs it, when it runs.
"""
