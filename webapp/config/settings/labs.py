"""Labs."""

from webapp.config.settings.reading import env

# --- labs ---------------------------------------------------------------------------------------------------
INVITATION_DAYS = env.int("INVITATION_DAYS", 7)  # until an invitation to a lab expires
INVITATIONS_A_DAY = env.int("INVITATIONS_A_DAY", 100)  # that a lab may send, those sent again included
INVITATIONS_A_DAY_TO_ONE = env.int("INVITATIONS_A_DAY_TO_ONE", 3)  # that a lab may send to one address
TOKEN_DAYS = env.int("TOKEN_DAYS", 365)  # the longest an API token may live
