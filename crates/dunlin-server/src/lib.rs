//! What a browser or a program meets: the HTTP API, live events, and the pages of sign-in.
