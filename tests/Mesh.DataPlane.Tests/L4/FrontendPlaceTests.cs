using System.Net;
using System.Net.Sockets;
using Mesh.Core.Descriptors;
using Mesh.Core.Names;
using Mesh.Core.Routing;
using Mesh.DataPlane.L4;
using Mesh.DataPlane.Listening;
using Mesh.DataPlane.Tests.Support;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.DataPlane.Tests.L4;

/// <summary>A NodePort or an address of a load balancer where something else listens, may listen or cannot.</summary>
public sealed class FrontendPlaceTests
{
    private const int Limit = 60_000;

    private readonly FakeTimeProvider _time = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = Limit)]
    [Trait("Row", "SVC-P13")]
    public async Task One_foreign_listener_on_every_address_is_one_problem_and_is_over_when_it_goes()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        using var foreign = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        foreign.Bind(new IPEndPoint(IPAddress.Any, 0)); // one that is free on every address
        foreign.Listen();
        var other = L4Host.FreeClusterIP();
        var first = new IPEndPoint(other.Address, ((IPEndPoint)foreign.LocalEndPoint!).Port);
        host.Machine = [first.Address, .. Enumerable.Range(0, 5).Select(_ => L4Host.FreeClusterIP().Address)];
        host.Listeners.Serve(new NodePortAddresses([IPRange.Parse("127.97.0.0/16")]), EndpointRule.Unconfigured);
        host.Routes.Service("web", "NodePort", 80, first.Port, null, backend.Pod("web-1"));
        host.Routes.Service("fine", "NodePort", 80, other.Port, null, backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(other, Stop);

        var taken = Assert.IsType<PortProblem.Taken>(await host.Problems.ReportedAsync(Stop));
        Assert.Equal(6, 1 + taken.AlsoAt.Length);
        Assert.StartsWith($"{first} (also on ", taken.Message, StringComparison.Ordinal);
        Assert.Contains(" and 2 more addresses) is taken by process ", taken.Message, StringComparison.Ordinal);
        Assert.EndsWith(", or the Service gets another nodePort.", taken.Message, StringComparison.Ordinal);

        var looks = host.Routes.Looks;
        while (host.Routes.Looks < looks + 3) // as often it is tried again, and each time told anew if it were
        {
            _time.Advance(new ServiceListenerOptions().RetryEvery);
            await Task.Yield();
        }

        foreign.Dispose();
        Assert.Equal(first, await AfterRetriesAsync(host.Problems.SolvedAsync(Stop)));
        await L4Host.AnswersAsync(first, Stop);
        Assert.False(host.Problems.HasReported);
    }

    [Fact(Timeout = Limit)]
    public async Task An_address_that_the_machine_does_not_have_is_told_and_the_others_are_served()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var here = host.Only();
        host.Routes.Service("web", "LoadBalancer", 8080, here.Port, "192.0.2.77", backend.Pod("web-1"));
        await host.StartAsync();

        var problem = Assert.IsType<PortProblem.NotHere>(await host.Problems.ReportedAsync(Stop));
        Assert.StartsWith("192.0.2.77:8080 cannot be listened on, as this machine does not have the address", problem.Message, StringComparison.Ordinal);
        Assert.Contains("--loadbalancer-pool", problem.Message, StringComparison.Ordinal);
        await L4Host.AnswersAsync(here, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task Two_Services_at_one_place_are_the_first_and_a_problem_of_the_other()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var place = await ContendedAsync(host, backend);

        host.Routes.RemoveService("a");
        Assert.Equal(place, await AfterRetriesAsync(host.Problems.SolvedAsync(Stop)));
        await L4Host.AnswersAsync(place, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task Another_that_keeps_the_place_is_told_when_the_first_has_gone()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var place = await ContendedAsync(host, backend);

        host.Routes.RemoveService("a");
        host.Routes.Service("pods", "10.255.0.1", 80, new SomePod("web-9", place, Ready: false));
        var other = await AfterRetriesAsync(host.Problems.ReportedAsync(Stop));
        Assert.Equal(SomeRoutes.Name("web-9"), Assert.IsType<PortProblem.OfPod>(other).Endpoint.Pod);
        Assert.Equal(place, await host.Problems.SolvedAsync(Stop));
    }

    [Fact(Timeout = Limit)]
    public async Task More_places_than_there_may_be_are_told_and_cost_the_others_nothing()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(new ServiceListenerOptions { Descriptors = new DescriptorBudget(320 + 3) });
        var (one, two) = (L4Host.FreeClusterIP(), L4Host.FreeClusterIP());
        host.Routes.Service("one", "LoadBalancer", one.Port, 0, one.Address.ToString(), backend.Pod("web-1"));
        await host.StartAsync();
        using var client = await L4Host.ConnectAsync(one, Stop);
        await L4Host.AskAsync(client, Stop);

        host.Routes.Service("two", "LoadBalancer", two.Port, 0, two.Address.ToString(), backend.Pod("web-1"));
        Assert.Equal(two, Assert.IsType<PortProblem.TooMany>(await host.Problems.ReportedAsync(Stop)).Address);
        await L4Host.AskAsync(client, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task A_Pod_that_was_there_first_keeps_its_place_and_gets_the_traffic_of_the_others()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var pod = backend.Pod("web-1");
        var second = new IPEndPoint(L4Host.FreeClusterIP().Address, pod.Address.Port);
        host.Machine = [pod.Address.Address, second.Address];
        host.Listeners.Serve(L4Host.Blocks(pod.Address.Address, second.Address), EndpointRule.Unconfigured);
        host.Routes.Service("web", "NodePort", 80, pod.Address.Port, null, pod);
        await host.StartAsync();

        await L4Host.AnswersAsync(second, Stop);
        var problem = Assert.IsType<PortProblem.OfPod>(await host.Problems.ReportedAsync(Stop));
        Assert.Equal((pod.Address, SomeRoutes.Name("web-1")), (problem.Address, problem.Endpoint.Pod));
        await L4Host.AnswersAsync(pod.Address, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task The_place_of_a_Pod_that_restarts_stays_free_for_minutes_also_when_its_Service_had_no_endpoint_meanwhile()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var (here, other) = (host.Only(), backend.Pod("web-2"));
        var pod = new SomePod("web-1", here);
        host.Routes.Service("web", "NodePort", 80, here.Port, null, pod, other);
        await host.StartAsync();
        var problem = Assert.IsType<PortProblem.OfPod>(await host.Problems.ReportedAsync(Stop));
        Assert.EndsWith("it stays the Pod's for 5 minutes after the Pod has gone; move one of both.", problem.Message, StringComparison.Ordinal);

        await LookedAsync(host, () => host.Routes.Service("web", "NodePort", 80, here.Port, null, other));
        Bind(here);
        host.Routes.Service("web", "NodePort", 80, here.Port, null);
        Assert.Equal(here, await host.Problems.SolvedAsync(Stop)); // nothing is wanted there
        await LookedAsync(host, () => host.Routes.Service("web", "NodePort", 80, here.Port, null, other));
        Bind(here);

        host.Routes.Service("web", "NodePort", 80, here.Port, null, pod, other); // it is back
        Assert.IsType<PortProblem.OfPod>(await AfterRetriesAsync(host.Problems.ReportedAsync(Stop)));
        _time.Advance(TimeSpan.FromMinutes(10));
        await LookedAsync(host, () => host.Routes.Service("web", "NodePort", 80, here.Port, null, pod, other));
        await LookedAsync(host, () => host.Routes.Service("web", "NodePort", 80, here.Port, null, other)); // and gone again
        _time.Advance(new ServiceListenerOptions().KeptForPods - TimeSpan.FromSeconds(1));
        await LookedAsync(host, () => host.Routes.Service("web", "NodePort", 80, here.Port, null, other));
        Bind(here);

        Assert.Equal(here, await AfterRetriesAsync(host.Problems.SolvedAsync(Stop)));
        await L4Host.AnswersAsync(here, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task A_place_of_Meshs_own_is_never_bound_for_a_Service_and_its_other_places_are_answered()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host(time: _time);
        var (here, balancer) = (L4Host.FreeClusterIP(), L4Host.FreeClusterIP());
        host.Machine = [here.Address];
        host.Listeners.Serve(L4Host.Blocks(here.Address), new EndpointRule(null, [balancer], []));
        host.Routes.Service("web", "LoadBalancer", balancer.Port, here.Port, balancer.Address.ToString(), backend.Pod("web-1"));
        await host.StartAsync();

        var told = await host.Problems.ReportedAsync(Stop);

        Assert.IsType<PortProblem.OfMesh>(told);
        Assert.Equal(("PortTaken", balancer), (told.Reason, told.Address));
        await L4Host.AnswersAsync(here, Stop);
        Assert.False(host.Routes.IsClaimed(balancer));
        using (var own = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp))
        {
            own.Bind(balancer);
            own.Listen();
        }

        host.Listeners.Serve(L4Host.Blocks(here.Address), EndpointRule.Unconfigured);
        Assert.Equal(balancer, await AfterRetriesAsync(host.Problems.SolvedAsync(Stop)));
        await L4Host.AnswersAsync(balancer, Stop);
    }

    [Fact(Timeout = Limit)]
    public async Task An_endpoint_that_comes_to_where_the_node_listens_is_not_used()
    {
        await using var backend = new RecordingBackend(connection => connection.AnswerEachAsync(RecordingBackend.Ok));
        await using var host = new L4Host();
        var here = host.Only();
        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(here, Stop);

        host.Routes.Service("web", "NodePort", 80, here.Port, null, backend.Pod("web-1"), new SomePod("circle", here));
        Assert.Equal(["web-1"], host.Routes.Published.Current.Services[SomeRoutes.Name("web")].Ports[0].Usable.Select(target => target.Endpoint.Pod.Name));
        host.Routes.Service("web", "NodePort", 80, here.Port, null, new SomePod("circle", here));
        await L4Host.RefusedAsync(here, Stop);
    }

    /// <summary>A place that Service a has, and that b wants and is told of.</summary>
    private static async Task<IPEndPoint> ContendedAsync(L4Host host, RecordingBackend backend)
    {
        var place = L4Host.FreeClusterIP();
        host.Routes.Service("a", "LoadBalancer", place.Port, 0, place.Address.ToString(), backend.Pod("web-1"));
        await host.StartAsync();
        await L4Host.AnswersAsync(place, Stop);

        host.Routes.Service("b", "LoadBalancer", place.Port, 0, place.Address.ToString(), backend.Pod("web-1"));
        var problem = Assert.IsType<PortProblem.OfService>(await host.Problems.ReportedAsync(Stop));
        Assert.Equal(SomeRoutes.Name("a"), problem.Service);
        return place;
    }

    /// <summary>Returns when the proxy has looked who is where, and acted on it, after the change.</summary>
    private static async Task LookedAsync(L4Host host, Action change)
    {
        for (var look = 0; look < 2; look++) // the second begins after the first has been acted on
        {
            var before = host.Routes.Looks;
            change();
            while (host.Routes.Looks == before)
            {
                await Task.Yield();
                Stop.ThrowIfCancellationRequested();
            }
        }
    }

    /// <summary>As a process does that starts there.</summary>
    private static void Bind(IPEndPoint place)
    {
        using var process = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        process.Bind(place);
        process.Listen();
    }

    private async Task<T> AfterRetriesAsync<T>(Task<T> told)
    {
        while (!told.IsCompleted)
        {
            _time.Advance(new ServiceListenerOptions().RetryEvery); // again, as the loop may not wait for its timer yet
            await Task.Yield();
        }

        return await told;
    }
}
