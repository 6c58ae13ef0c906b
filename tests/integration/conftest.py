from tests.support.people import alice, bob, charlie, lab, quick_passwords

__all__ = ["alice", "bob", "charlie", "lab", "quick_passwords"]
