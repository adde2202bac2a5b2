"""Messages made fit to be shown to anybody: the words that are known to name nobody, and a mark for every other.

Names come in too many forms for patterns: in and without quotation marks, in domains, paths and numbers. So nothing is
taken out; what is known is let in: our own words, Microsoft's usual ones, its codes, permissions, calls and fields.
"""

from __future__ import annotations

import re

from workflow.providers.operations import OPERATIONS

_GAP = "…"
_OURS = """
a about accept accepts access account accounts activated administrator administrators again all allow allowed alone
already always among an and another answer answered answers any anything application application's applications are as
ask asked asks assertion assigned assigning at attempt authority available away back bad be because been before behind
being believed between both busy but by call called calling calls came can cannot carried carries carry certificate
certificate's change changed changes check checked client cmdlet cmdlets code codes collection come comes complete
completed complexity compliance complies comply concluded conditions conflicting connect connected connection
connector connectors consent consented consents contact correct could couldn't credential cure custom days decide
describe did didn't different directory disabled disappeared do documentation documented does doesn't done each either
else empty enabled end ended ends entities entity entry error errors every everything exchange exist exists expected
expired failed fails feature field fields first for forever found from full gave get given gives gone grant graph
group groups guid had has have header held here hidden holdfast holds hour hours how identifier if in included
incorrect inside instead insufficient internal into invalid is isn't it item its itself key kind known last later
leaves left length less licence license licensed licenses like limit limited list listed lists little log login long
longer look lost machine made mailbox mailboxes makes many matches maximum may meant message method methods minutes
missing more most moved must name named names needed needs network never new next no nobody none nor not nothing
nowhere number object objects occurred of off offered on once one ones online only open operation or organization
other others ours out outside own page pages parameter parameters part parts passed password performed permission
permissions person person's place please policies policy portal possible premium present prints privilege privileged
privileges probe process processing profile properties property provided queried reach reached read reading reads
reason received record records reference-property refused refuses register registered remove removed repeat report
reports request requested requests required requires reset resource resource's resources response rest restricted
retry right rights role roles round route row rows rule rules run running said same say says scenario scope scopes
search searched second seconds security see send sends sent server service services set setting settings several
should shown shows sign sign-in sign-ins signed signing since so some something soon space specified specify start
state states status stays still such support supported synchronised system takes tell temporarily tenant than that the
their them then there there's these they thing this those through time timed times to today together token tokens too
took trace tried try turned twice type types unable unauthorized unavailable under unexpected unit unknown unlicensed
unpacked unread unsupported until up update upload uploaded us use used user users valid value values version visible
wait was way were what when where whether which while who whole whom whose why will with within without words wrong
yes yet you your
"""
_MICROSOFT = """
AAD Administrator Admin API Azure B2C Compliance Conditional Defender Directory Entra Exchange Global Graph ID HTTP
HTTPS JSON Microsoft OData OIDC Office Online P1 P2 Portal Premium Reader Security Support UTF-8 365 Discovery
access_denied invalid_client invalid_grant invalid_request invalid_resource invalid_scope slow_down
temporarily_unavailable too_many_requests unauthorized_client m365_certificate m365_client_id m365_tenant_id
BadRequest Forbidden Gone InternalServerError InvalidAuthenticationToken NotFound ResourceNotFound ServiceUnavailable
TooManyRequests Unauthorized UnknownError accessDenied generalException invalidRequest itemNotFound notAllowed
ConnectError ConnectTimeout LocalProtocolError PoolTimeout ReadError ReadTimeout RemoteProtocolError
UnsupportedProtocol WriteError WriteTimeout bool dict float int list str NoneType
"""
_FIELDS = """
AccessControlType AccessRights AuditDisabled ConnectorId DeleteMessage DeliverToMailboxAndForward Deny Disabled Enabled
Event EventValue ForwardAsAttachmentTo ForwardTo ForwardingAddress ForwardingSmtpAddress GrantSendOnBehalfTo Identity
IsInherited IsSystemRule MoveToFolder Name NotificationEnabled NotifyUser NotifyUserThrottleThreshold ObjectId Operation
RedirectTo SenderAddress SoftDeleteMessage TemporaryBlock Trustee UnifiedAuditLogIngestionEnabled User UserId
accountEnabled activityDisplayName app applicationFilter applications auditData authenticationStrength builtInControls
clientAppTypes conditions createdDateTime customAuthenticationFactors directoryScopeId errorCode excludeApplications
excludeGroups excludeGuestsOrExternalUsers excludeRoles excludeUsers grantControls id includeApplications includeGroups
includeRoles includeUsers initiatedBy isEnabled lastPasswordChangeDateTime locations onPremisesSyncEnabled operator
perUserMfaState requirementsSatisfied roleDefinitionId roleTemplateId signInSessionsValidFromDateTime targetResources
termsOfUse userPrincipalName userType users value @odata.type @odata.nextLink
"""
_CALLS = {word for row in OPERATIONS.values() for call in row.calls for word in call.split()}
_EXACT = frozenset(
    {*_MICROSOFT.split(), *_FIELDS.split(), *_CALLS, *(name for row in OPERATIONS.values() for name in row.permissions)}
)
_WORDS = frozenset({*_OURS.split(), *(word.strip(",.") for row in OPERATIONS.values() for word in row.title.split())})
_SOMEBODYS = frozenset({"grant", "may", "will"})
"""Words of which the capitalised form is somebody's name as well."""
_CODE = re.compile(
    r"AADSTS\d{4,8}|(?:Request|Authorization|Authentication|Directory)_[A-Za-z]{1,60}"
    r"|(?:Microsoft\.Exchange|System)(?:\.[A-Za-z]{1,40}){1,8}Exception"
)
_WORD = re.compile(r"[^\s()\[\],;:!?\"\u2018\u201c\u201d\u201e|<>]+")
_GAPS = re.compile(rf"{_GAP}(?:[^\w()]*{_GAP})+")
_COUNTED = re.compile(r"status \d{3}\b|\b\d{1,5} (?:rows|mailboxes|seconds)\b")


def anonymous(text: str) -> str:
    """Return a message with a mark in place of every word that might be somebody's or some tenant's."""
    kept: list[str] = []
    place = 0
    for match in _COUNTED.finditer(text):
        kept += [_WORD.sub(_masked, text[place : match.start()]), match[0]]
        place = match.end()
    return _GAPS.sub(_GAP, "".join([*kept, _WORD.sub(_masked, text[place:])]))


def _masked(match: re.Match[str]) -> str:
    """Return a word as it is, or the mark; what stands around it in quotation marks and full stops stays."""
    word = match[0].replace("\u2019", "'")
    core = word.strip("'.")
    if not core:
        return word
    return word if _is_known(core) else word.replace(core, _GAP, 1)


def _is_known(word: str) -> bool:
    if word in _EXACT or _CODE.fullmatch(word):
        return True
    if word in _WORDS:
        return True
    if word[0].isupper() and word[1:].islower():
        return word.lower() in _WORDS and word.lower() not in _SOMEBODYS
    return "." in word and all(part in _EXACT for part in word.split("."))
