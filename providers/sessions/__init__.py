"""Where token sessions come from: each module knows how one kind of token is found or fetched."""
