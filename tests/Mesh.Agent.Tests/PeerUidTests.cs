using System.Net;
using System.Net.Sockets;
using Mesh.Agent.Http;
using Xunit;

namespace Mesh.Agent.Tests;

/// <summary>Whose a connection is: both of the kernel's sources know it, and neither takes nobody for root.</summary>
public sealed class PeerUidTests
{
    [Theory(Timeout = 30_000)]
    [InlineData("127.0.0.1", AddressFamily.InterNetwork)]
    [InlineData("127.0.0.1", AddressFamily.InterNetworkV6)] // of both families
    [InlineData("::1", AddressFamily.InterNetworkV6)]
    public async Task A_local_connection_is_its_users_in_both_of_the_kernels_sources(string address, AddressFamily family)
    {
        var stop = TestContext.Current.CancellationToken;
        using var listener = new TcpListener(IPAddress.Parse(address), 0);
        listener.Start();
        var server = (IPEndPoint)listener.LocalEndpoint;
        using var client = new Socket(family, SocketType.Stream, ProtocolType.Tcp);
        if (family == AddressFamily.InterNetworkV6)
        {
            client.DualMode = true;
        }

        await client.ConnectAsync(family == AddressFamily.InterNetworkV6 ? new IPEndPoint(server.Address.MapToIPv6(), server.Port) : server, stop);
        using var accepted = await listener.AcceptSocketAsync(stop);
        var peer = (IPEndPoint)accepted.RemoteEndPoint!;

        Assert.True(SocketDiagnosis.TryFindOwner(peer, server, out var owner));
        Assert.Equal(PeerUid.Own, owner);
        Assert.Equal(PeerUid.Own, SocketList.OwnerOf(peer, server));
        Assert.Equal(PeerUid.Own, PeerUid.Of(accepted));
    }

    [Fact]
    public void A_socket_that_is_not_there_is_nobodys()
    {
        var (local, remote) = (new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 2));

        Assert.True(SocketDiagnosis.TryFindOwner(local, remote, out var owner));
        Assert.Null(owner);
        Assert.Null(SocketList.OwnerOf(local, remote));
        Assert.Null(SocketList.OwnerOf(new IPEndPoint(IPAddress.IPv6Loopback, 1), new IPEndPoint(IPAddress.IPv6Loopback, 2)));
    }
}
