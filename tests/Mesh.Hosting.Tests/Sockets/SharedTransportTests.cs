using System.Net;
using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.Hosting.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Mesh.Hosting.Tests.Sockets;

/// <summary>A server accepts as many as its share has, and goes on when one of them has gone.</summary>
public sealed class SharedTransportTests
{
    [Fact(Timeout = 60_000)]
    [Trait("Row", "R-B1")]
    public async Task Nobody_more_is_accepted_than_the_share_has_until_one_has_gone_and_an_unbound_one_waits_for_nobody()
    {
        var stop = TestContext.Current.CancellationToken;
        var share = new DescriptorBudget(320 + 4).Open("Connections", own: 0);
        var sockets = new SocketTransportFactory(new OptionsWrapper<SocketTransportOptions>(new SocketTransportOptions()), NullLoggerFactory.Instance);
        await using var listener = await new SharedTransport(sockets, share, TimeProvider.System).BindAsync(new IPEndPoint(IPAddress.Loopback, 0), stop);
        var clients = new List<TcpClient>();
        var accepted = new List<ConnectionContext>();
        for (var i = 0; i < 5; i++)
        {
            var client = new TcpClient();
            clients.Add(client);
            await client.ConnectAsync((IPEndPoint)listener.EndPoint, stop); // the backlog takes them all
        }

        for (var i = 0; i < 3; i++)
        {
            accepted.Add((await listener.AcceptAsync(stop))!);
        }

        var fourth = listener.AcceptAsync(stop).AsTask();
        Assert.Equal(3, share.Used);
        Assert.False(fourth.IsCompleted);

        await accepted[0].DisposeAsync();
        await accepted[0].DisposeAsync(); // as a server may
        accepted.Add((await fourth)!);
        Assert.Equal(3, share.Used);

        var fifth = listener.AcceptAsync(stop).AsTask();
        await listener.UnbindAsync(stop);
        Assert.Null(await fifth);
        foreach (var connection in accepted)
        {
            await connection.DisposeAsync();
        }

        Assert.Equal(0, share.Used);
        clients.ForEach(static client => client.Dispose());
    }
}
