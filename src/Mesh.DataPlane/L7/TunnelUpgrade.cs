using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.DataPlane.L7;

/// <summary>Lets bytes pass unchecked from the moment that a connection is upgraded.</summary>
internal sealed class TunnelUpgrade(IHttpUpgradeFeature inner, IStrictConnection tunnel) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    public Task<Stream> UpgradeAsync()
    {
        tunnel.OpenTunnel();
        return inner.UpgradeAsync();
    }
}
