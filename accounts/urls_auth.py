"""Where we answer instead of allauth. The same paths, mounted before `allauth.urls`, which keeps their names."""

from django.urls import path
from django.views.generic import RedirectView

from accounts.views import keys, sign_in

to_security = RedirectView.as_view(pattern_name="accounts:security", permanent=False)

urlpatterns = [
    path("login/", sign_in.SignIn.as_view()),
    path("signup/", sign_in.sign_up),
    path("confirm-email/", sign_in.ConfirmEmail.as_view()),
    path("login/code/confirm/", sign_in.ConfirmSignIn.as_view()),
    path("email/", to_security),
    path("sessions/", to_security),
    path("3rdparty/", to_security),
    path("2fa/", to_security),
    path("2fa/webauthn/", to_security),
    path("2fa/webauthn/add/", keys.AddPasskey.as_view()),
    path("2fa/webauthn/keys/<int:pk>/remove/", keys.RemovePasskey.as_view()),
    path("2fa/webauthn/keys/<int:pk>/edit/", keys.RenamePasskey.as_view()),
    path("2fa/recovery-codes/", keys.recovery_codes),
    path("2fa/recovery-codes/download/", keys.download_recovery_codes),
    path("password/<path:rest>", sign_in.closed),
]
