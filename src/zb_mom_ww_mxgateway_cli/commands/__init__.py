"""One module per group of commands; `app.COMMANDS` names them."""
