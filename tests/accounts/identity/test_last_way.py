"""Two removals at the same moment: the last way to sign in stays."""

import threading
from typing import Any

import pytest
from allauth.core import context
from allauth.socialaccount.models import SocialAccount
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import linking, methods
from accounts.models import User
from tests.accounts.conftest import HOST
from tests.accounts.evil_issuer import Issuer
from tests.accounts.identity.conftest import at_once, make_provider

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def two_accounts(issuer: Issuer) -> User:
    """Somebody with two linked accounts and nothing else."""
    user = User.objects.create_user("dora@example.com")
    for slug in ("acme", "other"):
        make_provider(issuer, slug)
        SocialAccount.objects.create(user=user, provider=slug, uid="dora-1", extra_data={"email": user.email})
    return user


def test_of_two_removals_at_the_same_moment_one_is_refused(two_accounts: User, rf: Any) -> None:
    """On SQLite writers queue anyway; on PostgreSQL it is the lock of the person's row that decides."""
    user, meet = two_accounts, threading.Barrier(2, timeout=20)

    def take_off(number: int) -> str:
        account = SocialAccount.objects.order_by("pk")[number]
        request = rf.get("/", headers={"host": HOST})
        meet.wait()
        try:
            with context.request_context(request):
                linking.unlink(request, User.objects.get(pk=user.pk), account)
        except methods.LastMethod:
            return "refused"
        return "done"

    for _ in range(5):
        SocialAccount.objects.all().delete()
        for slug in ("acme", "other"):
            SocialAccount.objects.create(user=user, provider=slug, uid="dora-1", extra_data={"email": user.email})
        assert sorted(at_once(2, take_off, 2)) == ["done", "refused"]
        assert SocialAccount.objects.count() == 1
        meet.reset()


def test_the_lock_is_a_lock(two_accounts: User) -> None:
    """What the test above stands on: the row of the person is locked before the ways in are counted."""
    account = SocialAccount.objects.first()
    with CaptureQueriesContext(connection) as asked, methods.removing(two_accounts, account):
        pass
    statements = [one["sql"] for one in asked if "SELECT" in one["sql"]]
    assert "accounts_user" in statements[0]
    assert ("FOR UPDATE" in statements[0]) is (connection.vendor == "postgresql")
