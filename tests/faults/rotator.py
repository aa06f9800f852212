"""A process that has loaded Django once and runs `manage.py vault rotate` in a child of its own for each line it reads,
so that a drill may kill one child after the other without waiting for twenty starts.

For each it writes the child's process id, and then how the child ended: the number of a signal, or 0."""

import os
import sys


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "project.settings"
    import django
    from django.core.management import call_command

    django.setup()
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            sys.stdout = sys.stderr
            call_command("vault", "rotate")
            os._exit(0)
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
