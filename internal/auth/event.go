package auth

import "time"

// EventKind says what happened. The words stay: scripts search for them.
type EventKind string

const (
	EventSetupFinished         EventKind = "setup.finished"
	EventLoginBegun            EventKind = "login.begun"   // the password was right
	EventLoginDropped          EventKind = "login.dropped" // given up by whoever began it
	EventLoginEnded            EventKind = "login.ended"   // by wrong codes after the right password
	EventSetupLinkMade         EventKind = "setup.link_made"
	EventLogin                 EventKind = "login"
	EventLoginRefused          EventKind = "login.refused"
	EventCodeRefused           EventKind = "login.code_refused"
	EventReturned              EventKind = "login.returned" // through a window that was still open
	EventReturnRefused         EventKind = "login.return_refused"
	EventRecoveryCodeUsed      EventKind = "login.recovery_code_used"
	EventConfirmed             EventKind = "login.confirmed" // proofs made fresh inside a session
	EventDoorClosed            EventKind = "login.door_closed"
	EventDoorOpened            EventKind = "login.door_opened"
	EventLogout                EventKind = "logout"
	EventSessionEnded          EventKind = "session.ended"
	EventSignupBegun           EventKind = "signup.begun"
	EventRequestsHeld          EventKind = "requests.held" // a network address asked so often that it has to wait
	EventSignupConfirmed       EventKind = "signup.confirmed"
	EventUserAdded             EventKind = "user.added"
	EventUserInvited           EventKind = "user.invited"
	EventInvitationAccepted    EventKind = "user.invitation_accepted"
	EventUserChanged           EventKind = "user.changed"
	EventUserDisabled          EventKind = "user.disabled"
	EventUserEnabled           EventKind = "user.enabled"
	EventUserDeleted           EventKind = "user.deleted"
	EventRoleChanged           EventKind = "user.role_changed"
	EventMustUseTwoFactor      EventKind = "user.must_use_two_factor"
	EventPasswordChanged       EventKind = "password.changed"
	EventResetRequested        EventKind = "password.reset_requested"
	EventPasswordReset         EventKind = "password.reset"
	EventAddressRequested      EventKind = "address.change_requested"
	EventAddressChanged        EventKind = "address.changed"
	EventTwoFactorEnabled      EventKind = "two_factor.enabled"
	EventTwoFactorDisabled     EventKind = "two_factor.disabled"
	EventTwoFactorCleared      EventKind = "two_factor.cleared" // by an administrator or a reset
	EventRecoveryCodesMade     EventKind = "recovery_codes.made"
	EventPasskeyAdded          EventKind = "passkey.added"
	EventPasskeyRemoved        EventKind = "passkey.removed"
	EventPasskeyRenamed        EventKind = "passkey.renamed"
	EventPasskeyRefused        EventKind = "passkey.refused"      // an answer that proved nothing
	EventPasskeyCounterBack    EventKind = "passkey.counter_back" // it may have been copied
	EventAuthenticatorAdded    EventKind = "authenticator.added"
	EventAuthenticatorReplaced EventKind = "authenticator.replaced"
	EventAuthenticatorRemoved  EventKind = "authenticator.removed"
	EventAuthenticatorRenamed  EventKind = "authenticator.renamed"
	EventGroupAdded            EventKind = "group.added"
	EventGroupChanged          EventKind = "group.changed"
	EventGroupDeleted          EventKind = "group.deleted"
	EventPluginActivated       EventKind = "plugin.activated"
	EventPluginDeactivated     EventKind = "plugin.deactivated"
	EventPluginAllowed         EventKind = "plugin.allowed"
	EventPluginDenied          EventKind = "plugin.denied"
	EventPluginsGiven          EventKind = "plugin.given"         // the operator's settings say which work for whom
	EventPluginsNotGiven       EventKind = "plugin.given_no_more" // the administrator decides again
	EventProtectionOff         EventKind = "two_factor.not_asked" // it is on, and its code is no longer asked for
	EventApplicationAdded      EventKind = "application.added"
	EventApplicationChanged    EventKind = "application.changed"
	EventApplicationDeleted    EventKind = "application.deleted"
	EventApplicationOpened     EventKind = "application.opened" // somebody was signed in to it
	EventClientSecretMade      EventKind = "application.secret_made"
	EventClientRefused         EventKind = "application.secret_refused" // the first of an hour, the tenth, the hundredth …
	EventConsentGiven          EventKind = "consent.given"
	EventConsentWithdrawn      EventKind = "consent.withdrawn"
	EventGrantRevoked          EventKind = "grant.revoked" // by the application itself
	EventGrantMisused          EventKind = "grant.misused" // a code or refresh token came twice: the grant ended
	EventSigningKeyMade        EventKind = "signing_key.made"
	EventLogoutNoticeFailed    EventKind = "logout_notice.failed"
	EventSettingChanged        EventKind = "setting.changed"
	EventClockSetBack          EventKind = "clock.set_back"
	EventTestLetter            EventKind = "letter.test"
	EventLetterFailed          EventKind = "letter.failed"
	EventFactorUnreadable      EventKind = "factor.unreadable"
	EventBackedUp              EventKind = "database.backed_up"
	EventRestored              EventKind = "database.restored"
	EventMoved                 EventKind = "database.moved"

	EventApplicationRequires EventKind = "application.requires-two-factor"
	EventApplicationLifted   EventKind = "application.requires-no-two-factor"
)

// Event is one line of the record: who did what to whom, and from where. It
// never holds a password, a code or a token.
type Event struct {
	At      time.Time
	Kind    EventKind
	Actor   UserID // "" for a stranger; see [Actor.EventName]
	Subject UserID // whom it concerns; "" for nobody in particular
	Session SessionID
	Device  string
	Network string
	Detail  string // a few words in English for the operator
}

// EventKinds are all kinds of events.
var EventKinds = []EventKind{
	EventSetupFinished,
	EventLoginBegun,
	EventLoginDropped,
	EventLoginEnded,
	EventSetupLinkMade,
	EventLogin,
	EventLoginRefused,
	EventCodeRefused,
	EventReturned,
	EventReturnRefused,
	EventRecoveryCodeUsed,
	EventConfirmed,
	EventDoorClosed,
	EventDoorOpened,
	EventLogout,
	EventSessionEnded,
	EventSignupBegun,
	EventRequestsHeld,
	EventSignupConfirmed,
	EventUserAdded,
	EventUserInvited,
	EventInvitationAccepted,
	EventUserChanged,
	EventUserDisabled,
	EventUserEnabled,
	EventUserDeleted,
	EventRoleChanged,
	EventMustUseTwoFactor,
	EventPasswordChanged,
	EventResetRequested,
	EventPasswordReset,
	EventAddressRequested,
	EventAddressChanged,
	EventTwoFactorEnabled,
	EventTwoFactorDisabled,
	EventTwoFactorCleared,
	EventRecoveryCodesMade,
	EventPasskeyAdded,
	EventPasskeyRemoved,
	EventPasskeyRenamed,
	EventPasskeyRefused,
	EventPasskeyCounterBack,
	EventAuthenticatorAdded,
	EventAuthenticatorReplaced,
	EventAuthenticatorRemoved,
	EventAuthenticatorRenamed,
	EventGroupAdded,
	EventGroupChanged,
	EventGroupDeleted,
	EventPluginActivated,
	EventPluginDeactivated,
	EventPluginAllowed,
	EventPluginDenied,
	EventPluginsGiven,
	EventPluginsNotGiven,
	EventProtectionOff,
	EventApplicationAdded,
	EventApplicationChanged,
	EventApplicationDeleted,
	EventApplicationOpened,
	EventClientSecretMade,
	EventClientRefused,
	EventConsentGiven,
	EventConsentWithdrawn,
	EventGrantRevoked,
	EventGrantMisused,
	EventSigningKeyMade,
	EventLogoutNoticeFailed,
	EventApplicationRequires,
	EventApplicationLifted,
	EventSettingChanged,
	EventClockSetBack,
	EventTestLetter,
	EventLetterFailed,
	EventFactorUnreadable,
	EventBackedUp,
	EventRestored,
	EventMoved,
}
