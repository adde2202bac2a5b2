"""The PowerShell script that registers Holdfast's application with the least it needs.

It is plain on purpose: whoever runs it in a privileged shell reads it first. It holds nothing but names from the
table of operations, and can be run again: what is there already is used again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from workflow.domain.command import literal
from workflow.providers.grants import FEATURES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from workflow.providers.grants import Grants

_TEMPLATE = """\
# Registers Holdfast as an application of this tenant that can:
{features}
#
# Written from Microsoft's documentation, and not yet tried in a real tenant: read it before you run it.
#
# Run by somebody who may consent for the whole tenant (Global Administrator or Privileged Role Administrator) and who
# manages Exchange roles (Organization Management). It needs two modules:
#   Install-Module Microsoft.Graph.Applications, ExchangeOnlineManagement
#
# First make the key and its certificate where Holdfast will run; the key never leaves that machine:
#   openssl req -x509 -newkey rsa:3072 -nodes -days 365 -subj /CN=holdfast -keyout holdfast.key -out holdfast.crt
#   (umask 077; cat holdfast.key holdfast.crt > holdfast.pem; rm holdfast.key)
# holdfast.crt alone is given to this script; HOLDFAST_M365_CERTIFICATE names holdfast.pem.

param(
    [Parameter(Mandatory)][string]$CertificateFile,
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

# 1. The application, with this certificate in place of any that it had.
Connect-MgGraph -NoWelcome -Scopes 'Application.ReadWrite.All', 'AppRoleAssignment.ReadWrite.All'
$Certificate = [System.Security.Cryptography.X509Certificates.X509Certificate2]::new(
    (Resolve-Path -LiteralPath $CertificateFile).Path)
$App = Get-MgApplication -Filter "displayName eq '$($Name -replace "'", "''")'"
if (@($App).Count -gt 1) {{ throw "There are several applications named $Name. Give another -Name." }}
if (-not $App) {{ $App = New-MgApplication -DisplayName $Name -SignInAudience AzureADMyOrg }}
Update-MgApplication -ApplicationId $App.Id -KeyCredentials @(
    @{{ Type = 'AsymmetricX509Cert'; Usage = 'Verify'; Key = $Certificate.RawData; DisplayName = 'holdfast' }})
$Principal = Get-MgServicePrincipal -Filter "appId eq '$($App.AppId)'"
if (-not $Principal) {{ $Principal = New-MgServicePrincipal -AppId $App.AppId }}

# 2. Application permissions, consented for the whole tenant. No others are granted.
function Grant-Permission($Resource, $Permissions) {{
    $Service = Get-MgServicePrincipal -Filter "appId eq '$Resource'"
    $Held = @(Get-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -All |
        Where-Object ResourceId -eq $Service.Id | ForEach-Object AppRoleId)
    foreach ($Permission in $Permissions) {{
        $Role = $Service.AppRoles | Where-Object Value -eq $Permission |
            Where-Object {{ $_.AllowedMemberTypes -contains 'Application' }}
        if (-not $Role) {{ Write-Warning "This tenant does not know the permission $Permission."; continue }}
        if ($Held -contains $Role.Id) {{ continue }}
        New-MgServicePrincipalAppRoleAssignment -ServicePrincipalId $Principal.Id -PrincipalId $Principal.Id `
            -ResourceId $Service.Id -AppRoleId $Role.Id | Out-Null
        Write-Host "Granted $Permission"
    }}
}}
Grant-Permission '00000003-0000-0000-c000-000000000000' $GraphPermissions
Grant-Permission '00000002-0000-0ff1-ce00-000000000000' @('Exchange.ManageAsApp')

# 3. In Exchange, a role group that may run these cmdlets and no others. It takes up to two hours to have an effect.
#    Where it is not enough, the directory role Exchange Administrator is; it may do much more.
Connect-ExchangeOnline -ShowBanner:$false
if (-not (Get-ServicePrincipal | Where-Object AppId -eq $App.AppId)) {{
    New-ServicePrincipal -AppId $App.AppId -ObjectId $Principal.Id -DisplayName $Name | Out-Null
}}
$Parents = @{{}}
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
try {{ Add-RoleGroupMember -Identity $Name -Member $Principal.Id }}
catch {{ Write-Warning "Not added to the role group (a member already?): $_" }}

# 4. What Holdfast has to be told.
Write-Host ''
Write-Host 'HOLDFAST_PROVIDER=microsoft365'
Write-Host "HOLDFAST_M365_TENANT_ID=$((Get-MgContext).TenantId)"
Write-Host "HOLDFAST_M365_CLIENT_ID=$($App.AppId)"
Write-Host 'HOLDFAST_M365_CERTIFICATE=/path/to/holdfast.pem'
Write-Host 'Then: holdfast tenant probe'
"""


def script(needed: Grants) -> str:
    """Return the script for these grants."""
    return _TEMPLATE.format(
        features="\n".join(f"#   - {FEATURES[feature]}" for feature in needed.features),
        graph=_listed(grant.permission for grant in needed.graph),
        cmdlets=_listed(grant.permission for grant in needed.cmdlets),
    )


def _listed(names: Iterable[str]) -> str:
    return "\n".join(f"    {literal(name)}" for name in names)
