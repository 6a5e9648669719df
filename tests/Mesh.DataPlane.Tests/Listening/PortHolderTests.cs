using System.Net;
using System.Net.Sockets;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.Listening;

/// <summary>Who holds a port, as /proc tells.</summary>
public sealed class PortHolderTests
{
    [Fact]
    public void One_look_finds_the_holders_of_many_ports_by_address_and_by_wildcard()
    {
        var (one, two, free) = (L4Host.FreeClusterIP(), L4Host.FreeClusterIP(), L4Host.FreeClusterIP());
        using var holder = new TcpListener(one);
        holder.Start();
        using var wildcard = new TcpListener(IPAddress.IPv6Any, 0);
        wildcard.Server.DualMode = true;
        wildcard.Start();
        two = new IPEndPoint(two.Address, ((IPEndPoint)wildcard.LocalEndpoint).Port);

        var holders = PortHolder.Find([one, two, free]);

        Assert.Equal([one, two], holders.Keys.ToHashSet());
        Assert.All(holders.Values, held => Assert.Equal(Environment.ProcessId, held.ProcessId));
        Assert.All(holders.Values, held => Assert.StartsWith($"process {Environment.ProcessId} (", held.ToString(), StringComparison.Ordinal));
    }
}
