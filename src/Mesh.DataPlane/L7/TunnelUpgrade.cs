using Mesh.DataPlane.L7.Strict;
using Microsoft.AspNetCore.Http.Features;

namespace Mesh.DataPlane.L7;

/// <summary>Lets bytes pass unchecked from the moment that a connection is upgraded.</summary>
internal sealed class TunnelUpgrade(IHttpUpgradeFeature inner, IStrictConnection tunnel) : IHttpUpgradeFeature
{
    public bool IsUpgradableRequest => inner.IsUpgradableRequest;

    public async Task<Stream> UpgradeAsync()
    {
        tunnel.OpenTunnel(); // before the 101 goes out: what the client sends after it may be there at once
        try
        {
            return await inner.UpgradeAsync();
        }
        catch
        {
            tunnel.Cut(); // no tunnel, and no HTTP/1 either any more: nobody would check what comes next
            throw;
        }
    }
}
