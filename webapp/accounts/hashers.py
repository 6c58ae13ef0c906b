from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2id(Argon2PasswordHasher):
    """Argon2id with 19 MiB, two passes and one lane (OWASP Password Storage Cheat Sheet).

    Its memory is what makes guessing on graphics cards dear; PBKDF2 has none. Of the settings OWASP holds for
    equal, this takes little memory, so that all threads of a web process may check a password at once: eight
    need 150 MiB, where Django's own 100 MiB each may end the process.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1
