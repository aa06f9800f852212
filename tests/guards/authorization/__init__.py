"""Who may do what at every address: the table (`pages`, `api`, `console`, `references`, `sockets`) and what runs it.

A new address needs a line here, or `tests/guards/test_authorization.py` fails and names it. A line says which methods
it is about, who passes, and of which kind the thing is that the address names:

    "chat:rename": [own("conversation", "POST")],            # one's own; others' look like nothing at all
    "accounts:change_role": [shared("membership", "POST", by=ADMINS)],   # of the workspace; administrators
    "accounts_api:members": [members("GET")],                # names nothing

Several lines for one address stand for several kinds or bodies. A method without a line must be refused to everybody.
A new kind of thing is made in `world.py`.
"""
