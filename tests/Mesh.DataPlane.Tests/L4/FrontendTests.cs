using System.Net;
using System.Net.Sockets;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L4;

/// <summary>TCP to NodePorts and to addresses of load balancers, over real sockets.</summary>
public sealed class FrontendTests
{
    private const int Limit = 60_000;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-L10")]
    public async Task A_NodePort_is_answered_on_each_address_and_a_load_balancer_on_the_port_of_its_Service()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var (first, second, balancer) = (L4Host.FreeClusterIP(), L4Host.FreeClusterIP().Address, L4Host.FreeClusterIP());
        host.Machine = [first.Address, second];
        host.Routes.Service("web", "LoadBalancer", balancer.Port, first.Port, balancer.Address.ToString(), backend.Pod("web-1"));
        await host.StartAsync();

        foreach (var address in new[] { first, new IPEndPoint(second, first.Port), new IPEndPoint(IPAddress.Loopback, first.Port), balancer })
        {
            await L4Host.AnswersAsync(address, Stop);
        }

        await L4Host.RefusedAsync(new IPEndPoint(balancer.Address, first.Port), Stop);
    }

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-U4")]
    public async Task A_NodePort_follows_its_endpoints_its_number_and_the_type_of_its_Service_and_cuts_no_connection()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var (here, balancer) = (host.Only(), L4Host.FreeClusterIP());
        var other = new IPEndPoint(here.Address, L4Host.FreeClusterIP().Port);
        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1", ready: false));
        await host.StartAsync();
        await L4Host.RefusedAsync(here, Stop);

        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"));
        using var kept = await L4Host.ConnectAsync(here, Stop);
        await L4Host.AskAsync(kept, Stop);

        host.Routes.Service("web", "NodePort", 80, other.Port, null, backend.Pod("web-1"));
        await L4Host.AnswersAsync(other, Stop);
        await L4Host.RefusedAsync(here, Stop);

        host.Routes.Service("web", "LoadBalancer", balancer.Port, other.Port, balancer.Address.ToString(), backend.Pod("web-1"));
        await L4Host.AnswersAsync(balancer, Stop);
        host.Routes.Service("web", "ClusterIP", balancer.Port, other.Port, balancer.Address.ToString(), backend.Pod("web-1"));
        await L4Host.RefusedAsync(balancer, Stop);
        await L4Host.RefusedAsync(other, Stop);
        await L4Host.AskAsync(kept, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task Where_the_owner_of_the_snapshot_ends_first_the_listeners_close_all_the_same()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var (here, cluster) = (host.Only(), L4Host.FreeClusterIP());
        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"));
        host.Routes.Service("other", cluster.Address.ToString(), cluster.Port, backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(here, Stop);
        await L4Host.AnswersAsync(cluster, Stop);

        host.Routes.HasEnded = true;
        host.Routes.Service("late", "NodePort", 80, L4Host.FreeClusterIP().Port, null, backend.Pod("web-1"));
        await host.Routes.Ended.Task.WaitAsync(Stop);
        await host.Listeners.StopAsync(new CancellationToken(canceled: true));

        foreach (var place in (IPEndPoint[])[here, cluster])
        {
            using var next = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            next.Bind(place);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task A_port_of_a_Service_that_is_numbered_anew_keeps_its_NodePort_and_every_connection()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var here = host.Only();
        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(here, Stop);

        for (var port = 81; port < 100; port++)
        {
            host.Routes.Service("web", "NodePort", port, here.Port, null, backend.Pod("web-1"));
            using var client = await RawClient.ConnectAsync(here, Stop);
            await L4Host.AskAsync(client, Stop);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task NodePorts_follow_the_addresses_of_the_machine_and_the_option()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var first = host.Only();
        var second = new IPEndPoint(L4Host.FreeClusterIP().Address, first.Port);
        host.Routes.Service("web", "NodePort", 80, first.Port, null, backend.Pod("web-1"));
        await host.StartAsync();
        using var kept = await L4Host.ConnectAsync(first, Stop);

        host.Machine = [first.Address, second.Address];
        host.Listeners.Serve(L4Host.Blocks(second.Address), EndpointRule.Unconfigured);
        await L4Host.AnswersAsync(second, Stop);
        await L4Host.RefusedAsync(first, Stop);

        host.Listeners.Serve(new NodePortAddresses([IPRange.Parse("127.97.0.0/16")]), EndpointRule.Unconfigured);
        await L4Host.AnswersAsync(first, Stop);
        host.Machine = [first.Address];
        var refused = L4Host.RefusedAsync(second, Stop);
        while (!refused.IsCompleted)
        {
            _time.Advance(new ServiceListenerOptions().RetryEvery); // again, as the loop may not wait for its timer yet
            await Task.Yield();
        }

        await refused;
        await L4Host.AskAsync(kept, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task Many_places_are_opened_and_left_in_parts_for_which_a_death_need_not_wait()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var here = L4Host.FreeClusterIP();
        host.Machine = [.. Enumerable.Range(0, 300).Select(number => new IPAddress([127, (byte)(98 + (number / 200)), here.Address.GetAddressBytes()[2], (byte)(1 + (number % 200))]))];
        host.Listeners.Serve(L4Host.Blocks(host.Machine), EndpointRule.Unconfigured);
        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(new IPEndPoint(host.Machine[^1], here.Port), Stop);

        host.Routes.RemoveService("web");
        await LeftAsync(host, here.Port);
        Assert.InRange(host.Routes.MostAtOnce, 1, 256);
    }

    private static async Task LeftAsync(L4Host host, int port)
    {
        while (host.Machine.Any(address => host.Routes.IsClaimed(new IPEndPoint(address, port))))
        {
            await Task.Yield();
            Stop.ThrowIfCancellationRequested();
        }
    }
}
