"""Workspaces, their members and their invitations under /api/v1/."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import invitations, memberships, proof, workspaces
from accounts.actors import actor_of
from accounts.api import HasWorkspaceAndScope
from accounts.models import ApiToken, Invitation, Membership, Role, User
from accounts.policies import Actor
from accounts.problems import not_found
from accounts.views.people import origin_of

SCOPE = "workspace"


class NameIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)


class WorkspaceRow(serializers.Serializer[Any]):
    """A workspace you are in, and what you are there. `current` is the one this request acts in."""

    id = serializers.UUIDField(source="workspace.pk")
    name = serializers.CharField(source="workspace.name")
    created_at = serializers.DateTimeField(source="workspace.created_at")
    role = serializers.ChoiceField(choices=Role.choices)
    current = serializers.SerializerMethodField()

    def get_current(self, row: Membership) -> bool:
        return bool(row.workspace_id == self.context["actor"].workspace_id)


class WorkspaceList(serializers.Serializer[Any]):
    results = WorkspaceRow(many=True)


class MemberOut(serializers.ModelSerializer[Membership]):
    user_id = serializers.UUIDField()
    email = serializers.EmailField(source="user.email")
    name = serializers.CharField(source="user.get_full_name")

    class Meta:
        model = Membership
        fields = ("id", "user_id", "email", "name", "role", "created_at")


class MemberList(serializers.Serializer[Any]):
    results = MemberOut(many=True)


class RoleIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Role.choices)


class InvitationIn(RoleIn):
    email = serializers.EmailField(max_length=254)
    role = serializers.ChoiceField(choices=Role.choices, default=Role.MEMBER)


class InvitationOut(serializers.ModelSerializer[Invitation]):
    state = serializers.ChoiceField(choices=["open", "expired"])
    invited_by = serializers.EmailField(source="invited_by.email", default=None, allow_null=True)

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "state", "invited_by", "created_at", "sent_at", "expires_at")


class InvitationList(serializers.Serializer[Any]):
    results = InvitationOut(many=True)


class InvitationMade(InvitationOut):
    url = serializers.URLField(help_text="The link, shown this once; the same is in the mail.")

    class Meta(InvitationOut.Meta):
        fields = (*InvitationOut.Meta.fields, "url")  # type: ignore[assignment]


class AcceptIn(serializers.Serializer[Any]):
    token = serializers.CharField(max_length=100, help_text="The last part of the link's path.")


def given(serializer: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    found = serializer(data=request.data)
    found.is_valid(raise_exception=True)
    return cast("dict[str, Any]", found.validated_data)


def _reachable(request: Request) -> list[Membership]:
    """A session reaches all workspaces of its person, a token the one it was made for."""
    rows = workspaces.joined(cast("User", request.user))
    if isinstance(request.auth, ApiToken):
        rows = rows.filter(workspace_id=request.auth.workspace_id)
    return list(rows)


def _row(request: Request, actor: Actor, workspace_id: UUID) -> dict[str, Any]:
    rows = [one for one in _reachable(request) if one.workspace_id == workspace_id]
    if not rows:
        raise not_found()
    return dict(WorkspaceRow(rows[0], context={"actor": actor}).data)


class WorkspacesView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="workspaces_list", responses=WorkspaceList)
    def get(self, request: Request) -> Response:
        """Your workspaces; a token sees the one it was made for."""
        rows = WorkspaceRow(_reachable(request), many=True, context={"actor": actor_of(request)})
        return Response({"results": rows.data})

    @extend_schema(operation_id="workspaces_create", request=NameIn, responses={201: WorkspaceRow})
    def post(self, request: Request) -> Response:
        """Make a workspace and own it, for those who administer one already. To act in it, make a token there."""
        actor = actor_of(request)
        user = cast("User", request.user)
        made = workspaces.create(user, given(NameIn, request)["name"])
        row = workspaces.joined(user).get(workspace_id=made.pk)
        return Response(WorkspaceRow(row, context={"actor": actor}).data, status=status.HTTP_201_CREATED)


class WorkspaceView(APIView):
    """One of your workspaces. Changes reach the one that the request acts in; the others are there to be read."""

    scope = SCOPE

    @extend_schema(operation_id="workspaces_read", responses=WorkspaceRow)
    def get(self, request: Request, workspace_id: UUID) -> Response:
        """One of your workspaces."""
        return Response(_row(request, actor_of(request), workspace_id))

    @extend_schema(operation_id="workspaces_rename", request=NameIn, responses=WorkspaceRow)
    def patch(self, request: Request, workspace_id: UUID) -> Response:
        """Give the workspace that you act in another name (administrators)."""
        actor = _acting_in(request, workspace_id)
        workspaces.rename(actor, given(NameIn, request)["name"])
        return Response(_row(request, actor, workspace_id))

    @extend_schema(operation_id="workspaces_delete", responses={204: None})
    def delete(self, request: Request, workspace_id: UUID) -> Response:
        """Remove the workspace that you act in, with everything in it, for everybody (owners). Nothing brings it
        back."""
        actor = _acting_in(request, workspace_id)
        _require_proof(request)
        workspaces.delete(actor)
        return Response(status=status.HTTP_204_NO_CONTENT)


def _require_proof(request: Request) -> None:
    """As on the pages, a session alone does not manage people; whoever made a token has proven themselves for it."""
    if request.auth is None:
        proof.require_recent_session(request, cast("User", request.user))


def _acting_in(request: Request, workspace_id: UUID) -> Actor:
    actor = actor_of(request)
    if actor.workspace_id != workspace_id:
        raise not_found()
    return actor


class MembersView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="members_list", responses=MemberList)
    def get(self, request: Request) -> Response:
        """Everybody in your workspace."""
        rows = memberships.of_workspace(actor_of(request))
        return Response({"results": MemberOut(rows, many=True).data})


class MemberView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="members_read", responses=MemberOut)
    def get(self, request: Request, member_id: UUID) -> Response:
        """One member of your workspace."""
        return Response(MemberOut(memberships.member(actor_of(request), member_id)).data)

    @extend_schema(operation_id="members_change_role", request=RoleIn, responses=MemberOut)
    def patch(self, request: Request, member_id: UUID) -> Response:
        """Give a member another role; nobody gives or takes one above their own, and an owner stays."""
        actor = actor_of(request)
        memberships.member(actor, member_id)
        _require_proof(request)
        role = Role(given(RoleIn, request)["role"])
        return Response(MemberOut(memberships.change_role(actor, member_id, role)).data)

    @extend_schema(operation_id="members_remove", responses={204: None})
    def delete(self, request: Request, member_id: UUID) -> Response:
        """Remove a member; with your own id, leave."""
        actor = actor_of(request)
        memberships.member(actor, member_id)
        _require_proof(request)
        memberships.end(actor, member_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class InvitationsView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="invitations_list", responses=InvitationList)
    def get(self, request: Request) -> Response:
        """Invitations that nobody has accepted yet, for administrators; an empty list for others."""
        rows = invitations.pending(actor_of(request))
        return Response({"results": InvitationOut(rows, many=True).data})

    @extend_schema(operation_id="invitations_send", request=InvitationIn, responses={201: InvitationMade})
    def post(self, request: Request) -> Response:
        """Invite an address by mail (administrators). A pending invitation for it is renewed and its old link ends."""
        actor, wanted = actor_of(request), given(InvitationIn, request)
        _require_proof(request)
        made, link = invitations.invite(actor, wanted["email"], Role(wanted["role"]), origin_of(request))
        return Response(InvitationOut(made).data | {"url": link}, status=status.HTTP_201_CREATED)


class InvitationView(APIView):
    scope = SCOPE

    @extend_schema(operation_id="invitations_take_back", responses={204: None})
    def delete(self, request: Request, invitation_id: UUID) -> Response:
        """Take an invitation back; its link stops working (administrators)."""
        invitations.take_back(actor_of(request), invitation_id)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SignedInOrScope(BasePermission):
    """Somebody who is in no workspace yet has a session and nothing else."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        if isinstance(request.auth, ApiToken):
            return HasWorkspaceAndScope().has_permission(request, view)
        return bool(request.user.is_authenticated)


class AcceptView(APIView):
    scope = SCOPE
    permission_classes = (SignedInOrScope,)

    @extend_schema(operation_id="invitations_accept", request=AcceptIn, responses=MemberOut)
    def post(self, request: Request) -> Response:
        """Join the workspace that an invitation is for; it has to be for a verified address of yours."""
        membership = invitations.accept(cast("User", request.user), given(AcceptIn, request)["token"])
        return Response(MemberOut(membership).data)
