"""Messages to people wait in the database, sealed, until the relay has handed them to the mail server.

So a request does the same work whether or not there is anybody to write to, and a mail server that is away
fails no request.
"""
