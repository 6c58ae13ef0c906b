from tests.support.people import alice, bob, charlie, lab

__all__ = ["alice", "bob", "charlie", "lab"]
