"""The PowerShell script that sets Holdfast up in a tenant with the least it needs, by how it signs in.

It is plain on purpose: whoever runs it in a privileged shell reads it first. It holds nothing but names from the
table of operations, and can be run again: what is there already is used again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.command import literal
from workflow.providers.grants import FEATURES
from workflow.providers.ways import Way

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.providers.grants import Grants

_TEMPLATE = """\
# Sets Holdfast up in this tenant{by}, so that it can:
{features}
#
# Written from Microsoft's documentation, and not yet tried in a real tenant: read it before you run it.
#
# Run by somebody who may consent for the whole tenant (Global Administrator or Privileged Role Administrator) and who
# manages Exchange roles (Organization Management). It needs these modules:
#   Install-Module {modules}
{first}
param(
{parameters}
    [string]$Name = 'Holdfast'
)
$ErrorActionPreference = 'Stop'
$global:ErrorActionPreference = 'Stop'

$GraphPermissions = @(
{graph}
)
$Cmdlets = @(
{cmdlets}
)

{principal}
{permissions}
Grant-Permission '00000003-0000-0000-c000-000000000000' $GraphPermissions
Grant-Permission '00000002-0000-0ff1-ce00-000000000000' @({exchange})

# 3. In Exchange, a role group that may run these cmdlets and no others. It takes up to two hours to have an effect.
#    Where it is not enough, the directory role Exchange Administrator is; it may do much more.
Connect-ExchangeOnline -ShowBanner:$false
{known}$Parents = @{{}}
foreach ($Cmdlet in $Cmdlets) {{
    # Of the roles that hold it, one that is in use already, else the one with the fewest cmdlets.
    $Holding = @(Get-ManagementRole -Cmdlet $Cmdlet -ErrorAction SilentlyContinue | Where-Object IsRootRole)
    if (-not $Holding) {{ Write-Warning "You may not hand on $Cmdlet, or this tenant has no such cmdlet."; continue }}
    $Parent = $Holding | Where-Object {{ $Parents.ContainsKey($_.Name) }} | Select-Object -First 1
    if (-not $Parent) {{
        $Parent = $Holding | Sort-Object {{ @(Get-ManagementRoleEntry "$($_.Name)\\*").Count }} | Select-Object -First 1
        $Parents[$Parent.Name] = @()
    }}
    $Parents[$Parent.Name] += $Cmdlet
}}
$Roles = foreach ($Parent in $Parents.Keys) {{
    $Own = "$Name $Parent"
    if ($Own.Length -gt 64) {{ $Own = $Own.Substring(0, 64).Trim() }}
    if (-not (Get-ManagementRole -Identity $Own -ErrorAction SilentlyContinue)) {{
        New-ManagementRole -Name $Own -Parent $Parent | Out-Null
    }}
    Get-ManagementRoleEntry "$Own\\*" | Where-Object {{ $Parents[$Parent] -notcontains $_.Name }} |
        ForEach-Object {{ Remove-ManagementRoleEntry "$Own\\$($_.Name)" -Confirm:$false }}
    $Own
}}
if (-not (Get-RoleGroup -Identity $Name -ErrorAction SilentlyContinue)) {{
    New-RoleGroup -Name $Name -Roles $Roles | Out-Null
}}
foreach ($Member in {members}) {{
    try {{ Add-RoleGroupMember -Identity $Name -Member $Member }}
    catch {{ Write-Warning "$Member was not added to the role group (a member already?): $_" }}
}}

# 4. What Holdfast has to be told.
Write-Host ''
Write-Host 'HOLDFAST_PROVIDER=microsoft365'
Write-Host "HOLDFAST_M365_TENANT_ID=$((Get-MgContext).TenantId)"
{settings}
Write-Host 'Then: holdfast tenant probe'
"""

_CERTIFICATE = """\
#
# First make the key and its certificate where Holdfast will run; the key never leaves that machine:
#   openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj /CN=holdfast -keyout holdfast.key -out holdfast.crt
#   (umask 077; cat holdfast.key holdfast.crt > holdfast.pem; rm holdfast.key)
# holdfast.crt alone is given to this script; HOLDFAST_M365_CERTIFICATE names holdfast.pem.
"""

_IDENTITY = """\
#
# -PrincipalId is the object id of that identity; -ClientId is the client id of one that is user-assigned.
"""

_PEOPLE = """\
#
# -People are those who will sign in. The roles that 'holdfast tenant permissions' lists are given to them by hand.
"""

_CONNECT = "Connect-MgGraph -NoWelcome -Scopes 'Application.ReadWrite.All', '{scope}'\n"

_APPLICATION = """\
$App = Get-MgApplication -Filter "displayName eq '$($Name -replace "'", "''")'"
if (@($App).Count -gt 1) { throw "There are several applications named $Name. Give another -Name." }
if (-not $App) { $App = New-MgApplication -DisplayName $Name -SignInAudience AzureADMyOrg }
"""

_PRINCIPAL = """\
$Principal = Get-MgServicePrincipal -Filter "appId eq '$($App.AppId)'"
if (-not $Principal) { $Principal = New-MgServicePrincipal -AppId $App.AppId }
"""

_WITH_CERTIFICATE = f"""\
# 1. The application, with this certificate in place of any that it had.
{_CONNECT.format(scope="AppRoleAssignment.ReadWrite.All")}\
$Certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new(
    (Resolve-Path -LiteralPath $CertificateFile).Path)
{_APPLICATION}\
Update-MgApplication -ApplicationId $App.Id -KeyCredentials @(
    @{{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $Certificate.RawData; DisplayName = 'holdfast' }})
{_PRINCIPAL}"""

_OF_THE_MACHINE = f"""\
# 1. The machine's identity, which is there already.
{_CONNECT.format(scope="AppRoleAssignment.ReadWrite.All")}\
$Principal = Get-MgServicePrincipal -ServicePrincipalId $PrincipalId
"""

_BY_CODE = f"""\
# 1. The application, which has no secret: people sign in through it with a code.
{_CONNECT.format(scope="DelegatedPermissionGrant.ReadWrite.All")}\
{_APPLICATION}\
Update-MgApplication -ApplicationId $App.Id -IsFallbackPublicClient
{_PRINCIPAL}"""

_APPLICATION_PERMISSIONS = """\
# 2. Application permissions, consented for the whole tenant. No others are granted.
function Grant-Permission($Resource, $Permissions) {
    $Service = Get-MgServicePrincipal -Filter "appId eq '$Resource'"
    $Held = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -All |
        Where-Object ResourceId -eq $Service.Id | ForEach-Object AppRoleId)
    foreach ($Permission in $Permissions) {
        $Role = $Service.AppRoles | Where-Object Value -eq $Permission |
            Where-Object { $_.AllowedMemberTypes -contains 'Application' }
        if (-not $Role) { Write-Warning "This tenant does not know the permission $Permission."; continue }
        if ($Held -contains $Role.Id) { continue }
        New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -PrincipalId $Principal.Id `
            -ResourceId $Service.Id -AppRoleId $Role.Id | Out-Null
        Write-Host "Granted $Permission"
    }
}"""

_DELEGATED_PERMISSIONS = """\
# 2. Delegated permissions, consented for the whole tenant. No others are granted, and nobody can do more with them than
#    they could before.
function Grant-Permission($Resource, $Permissions) {
    $Service = Get-MgServicePrincipal -Filter "appId eq '$Resource'"
    $Known = @($Permissions | Where-Object { @($Service.Oauth2PermissionScopes.Value) -contains $_ })
    $Permissions | Where-Object { $Known -notcontains $_ } |
        ForEach-Object { Write-Warning "This tenant does not know the permission $_." }
    $Held = Get-MgOauth2PermissionGrant -All -Filter "clientId eq '$($Principal.Id)'" |
        Where-Object { $_.ResourceId -eq $Service.Id -and $_.ConsentType -eq 'AllPrincipals' }
    if ($Held) { Update-MgOauth2PermissionGrant -OAuth2PermissionGrantId $Held.Id -Scope ($Known -join ' ') }
    else {
        New-MgOauth2PermissionGrant -ClientId $Principal.Id -ResourceId $Service.Id -ConsentType AllPrincipals `
            -Scope ($Known -join ' ') | Out-Null
    }
    Write-Host "Granted $Known"
}"""

_KNOWN_TO_EXCHANGE = """\
if (-not (Get-ServicePrincipal | Where-Object AppId -eq $Principal.AppId)) {
    New-ServicePrincipal -AppId $Principal.AppId -ObjectId $Principal.Id -DisplayName $Name | Out-Null
}
"""

_BOTH = "Microsoft.Graph.Applications, ExchangeOnlineManagement"
_CLIENT = 'Write-Host "HOLDFAST_M365_CLIENT_ID=$($App.AppId)"'
_PARTS: dict[Way, dict[str, str]] = {
    Way.CERTIFICATE: {
        "by": " as an application with a certificate",
        "modules": _BOTH,
        "first": _CERTIFICATE,
        "parameters": "    [Parameter(Mandatory)][string]$CertificateFile,",
        "principal": _WITH_CERTIFICATE,
        "permissions": _APPLICATION_PERMISSIONS,
        "known": _KNOWN_TO_EXCHANGE,
        "members": "$Principal.Id",
        "settings": f"{_CLIENT}\nWrite-Host 'HOLDFAST_M365_CERTIFICATE=/path/to/holdfast.pem'",
    },
    Way.MANAGED_IDENTITY: {
        "by": " by the identity of its machine in Azure",
        "modules": _BOTH,
        "first": _IDENTITY,
        "parameters": "    [Parameter(Mandatory)][string]$PrincipalId,\n    [string]$ClientId = '',",
        "principal": _OF_THE_MACHINE,
        "permissions": _APPLICATION_PERMISSIONS,
        "known": _KNOWN_TO_EXCHANGE,
        "members": "$Principal.Id",
        "settings": "Write-Host 'HOLDFAST_M365_SIGN_IN=managed-identity'\n"
        'if ($ClientId) { Write-Host "HOLDFAST_M365_CLIENT_ID=$ClientId" }',
    },
    Way.DEVICE_CODE: {
        "by": " for people who sign in with a code",
        "modules": _BOTH.replace(",", ", Microsoft.Graph.Identity.SignIns,"),
        "first": _PEOPLE,
        "parameters": "    [Parameter(Mandatory)][string[]]$People,",
        "principal": _BY_CODE,
        "permissions": _DELEGATED_PERMISSIONS,
        "known": "",
        "members": "$People",
        "settings": f"{_CLIENT}\nWrite-Host 'HOLDFAST_M365_SIGN_IN=device-code'",
    },
}
"""What differs by how Holdfast signs in."""


def script(needed: Grants) -> str:
    """Return the script for these grants."""
    return _TEMPLATE.format(
        features="\n".join(f"#   - {FEATURES[feature]}" for feature in needed.features),
        graph=_listed(grant.permission for grant in needed.graph),
        cmdlets=_listed(grant.permission for grant in needed.cmdlets),
        exchange=literal(needed.exchange),
        **_PARTS[needed.way],
    )


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f"    {literal(name)}" for name in names)
