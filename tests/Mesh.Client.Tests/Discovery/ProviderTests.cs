using Mesh.ServiceDiscovery;
using Mesh.Testing.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Microsoft.Extensions.ServiceDiscovery;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>What the provider does within Microsoft.Extensions.ServiceDiscovery, against a real node.</summary>
public sealed class ProviderTests
{
    private const string Ports = DiscoveryUnderTest.Ports;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.1")]
    public async Task A_Service_is_watched_once_by_whatever_addresses_it_is_called()
    {
        await using var node = await NodeWithWebAsync();
        await using var discovery = DiscoveryUnderTest.Of(node);

        foreach (var address in (string[])["http://web", "https+http://web:80", "http://_admin.web.default", "http://web.default.svc", "http://web.default.svc.cluster.local:9090", "_admin.web"])
        {
            Assert.NotEmpty((await discovery.ResolveAsync(address, Stop)).Endpoints);
        }

        Assert.Equal(1, discovery.Watches.Count);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.2")]
    [Trait("Row", "ECO-3.5.3")]
    public async Task The_address_says_namespace_port_and_schemes_and_its_number_is_the_Services()
    {
        await using var node = await NodeWithWebAsync();
        node.Told.Service("prod/orders", Ports, Pod(1, "10.1.0.1"));
        await using var discovery = DiscoveryUnderTest.Of(node);

        Assert.Equal(["http://10.1.0.1:9001/"], await discovery.AddressesAsync("https+http://_admin.orders.prod", Stop));
        Assert.Equal(["http://10.0.0.1:9001/", "http://10.0.0.2:9002/"], await discovery.AddressesAsync("http://web:9090", Stop));
        Assert.Equal(["http://10.0.0.1:8001/", "http://10.0.0.2:8002/"], await discovery.AddressesAsync("http://web", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.5")]
    public async Task What_another_provider_has_found_stays_and_changes_are_told_all_the_same()
    {
        await using var node = await NodeWithWebAsync();
        await using var discovery = DiscoveryUnderTest.Of(
            node, compose: services => services.AddSingleton<IServiceEndpointProviderFactory, Fixed>().AddMeshServiceDiscovery());

        var found = await discovery.ResolveAsync("http://web", Stop);
        node.Told.Service("default/web", Ports, Pod(1));

        Assert.Equal(["http://10.7.7.7:7/"], found.Endpoints.Select(endpoint => endpoint.ToString()!));
        await ChangedAsync(found.ChangeToken);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.6")]
    public async Task Every_change_is_signalled_and_none_is_asked_for()
    {
        await using var node = await NodeWithWebAsync();
        // Stands still: nothing that waits for a time to come can happen.
        await using var discovery = DiscoveryUnderTest.Of(node, new FakeTimeProvider());
        var found = await discovery.ResolveAsync("http://web", Stop);
        Assert.True(found.ChangeToken.ActiveChangeCallbacks);

        node.Told.Service("default/web", Ports, Pod(3));
        ((FakeTimeProvider)discovery.Services.GetRequiredService<TimeProvider>()).Advance(ServiceWatch.Coalesced);
        await ChangedAsync(found.ChangeToken);

        Assert.Equal(["http://10.0.0.3:8003/"], await discovery.AddressesAsync("http://web", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task The_last_word_of_a_node_stays_while_it_is_away_and_its_next_one_is_taken()
    {
        await using var node = await NodeWithWebAsync();
        await using var discovery = DiscoveryUnderTest.Of(node);
        var found = await discovery.ResolveAsync("http://web", Stop);

        await node.StopAsync();
        Assert.Equal(2, (await discovery.ResolveAsync("http://web", Stop)).Endpoints.Count);
        Assert.Equal(2, (await discovery.ResolveAsync("http://_admin.web", Stop)).Endpoints.Count);

        node.Told.Service("default/web", Ports, Pod(7));
        await node.StartAsync(Stop);
        await ChangedAsync(found.ChangeToken);
        Assert.Equal(["http://10.0.0.7:8007/"], await discovery.AddressesAsync("http://web", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task A_node_that_never_answered_is_waited_for_two_seconds_and_told_with_what_to_do()
    {
        await using var node = NodeUnderTest.Away();
        var time = new ArmedTime();
        await using var discovery = DiscoveryUnderTest.Of(node, time);

        var told = await Assert.ThrowsAsync<MeshDiscoveryException>(() => AfterFirstWaitAsync(discovery, time, "http://web"));
        Assert.StartsWith($"Service default/web cannot be called by name: the node at {node.Url} does not tell of it", told.Message, StringComparison.Ordinal);
        // Nobody waits twice: time stands still from here on.
        await Testing.Eventually.Meets(
            "what to do",
            async stop => (await Assert.ThrowsAsync<MeshDiscoveryException>(() => discovery.ResolveAsync("http://web", stop).AsTask())).Message,
            message => message.Contains("is mesh-silo started on this machine, and MESH_NODE_URL its --node-listen?", StringComparison.Ordinal),
            TimeSpan.FromSeconds(30));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.7")]
    public async Task A_host_of_the_world_is_called_while_the_node_is_away_and_a_name_that_only_a_Service_has_is_not()
    {
        await using var node = NodeUnderTest.Away();
        var time = new ArmedTime();
        await using var discovery = DiscoveryUnderTest.Of(node, time);

        var found = await AfterFirstWaitAsync(discovery, time, "http://web.shop");
        Assert.Equal(["web.shop:80"], found.Endpoints.Select(endpoint => endpoint.ToString()!));

        await Assert.ThrowsAsync<MeshDiscoveryException>(() => discovery.ResolveAsync("http://web.shop.svc", Stop).AsTask());
        await Assert.ThrowsAsync<MeshDiscoveryException>(() => discovery.ResolveAsync("http://web.shop.svc.cluster.local", Stop).AsTask());

        // Once the node says that it is a Service's, it is.
        node.Told.Namespace("shop");
        node.Told.Service("shop/web", Ports, Pod(1));
        node.Told.Synced();
        await node.StartAsync(Stop);
        await time.UntilAsync(ChangedAsync(found.ChangeToken), WatchSource.AnswerTimeout, Stop);
        Assert.Equal(["http://10.0.0.1:8001/"], await discovery.AddressesAsync("http://web.shop", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.8")]
    public async Task No_ready_Pod_is_an_error_of_that_name_and_the_next_ready_one_is_used_at_once()
    {
        await using var node = await NodeWithWebAsync();
        node.Told.Service("default/web", Ports, Pod(1) with { Ready = false }, Pod(2) with { Ready = false }, Pod(3) with { Ready = false });
        await using var discovery = DiscoveryUnderTest.Of(node);

        var none = await Assert.ThrowsAsync<MeshNoReadyEndpointsException>(() => discovery.ResolveAsync("http://web", Stop).AsTask());

        Assert.Equal(("default/web", 0, 3), (none.Service, none.Ready, none.Total));
        Assert.StartsWith("Service default/web: 0 of 3 Pods ready; ", none.Message, StringComparison.Ordinal);
        Assert.Equal(node.Routes.Version, none.Revision);
        Assert.IsAssignableFrom<HttpRequestException>(none);

        node.Told.Service("default/web", Ports, Pod(1) with { Ready = false }, Pod(2));
        await Testing.Eventually.Is("who serves", async stop => await ServingAsync(discovery, stop), "http://10.0.0.2:8002/", TimeSpan.FromSeconds(30));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.8")]
    public async Task A_Service_of_no_Pods_says_so_and_one_whose_Pods_all_end_is_served_by_them()
    {
        await using var node = await NodeWithWebAsync();
        node.Told.Service("default/empty", Ports);
        node.Told.Service("default/ending", Ports, Pod(4).Draining);
        await using var discovery = DiscoveryUnderTest.Of(node);

        var none = await Assert.ThrowsAsync<MeshNoReadyEndpointsException>(() => discovery.ResolveAsync("http://empty", Stop).AsTask());

        Assert.Equal("Service default/empty: 0 of 0 Pods ready; no Pod with port 80 (http) belongs to it", none.Message);
        Assert.Equal(["http://10.0.0.4:8004/"], await discovery.AddressesAsync("http://ending", Stop));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_name_that_no_Service_has_is_left_to_DNS_until_one_has_it()
    {
        await using var node = await NodeWithWebAsync();
        var time = new ArmedTime();
        await using var discovery = DiscoveryUnderTest.Of(node, time);

        var found = await discovery.ResolveAsync("http://github.dev", Stop);
        Assert.Equal(["github.dev"], found.Endpoints.Select(endpoint => endpoint.ToString()!.Replace("Unspecified/", "", StringComparison.Ordinal).Split(':')[0]));

        node.Told.Namespace("dev");
        node.Told.Service("dev/github", Ports, Pod(1));
        await time.AdvanceAsync(ServiceWatch.MissingFor, Stop);
        time.Advance(ServiceWatch.Coalesced);
        await ChangedAsync(found.ChangeToken);
        Assert.Equal(["http://10.0.0.1:8001/"], await discovery.AddressesAsync("http://github.dev", Stop));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.9")]
    public async Task Changes_within_fifty_milliseconds_are_one_signal_and_a_token_that_fired_stays_so()
    {
        await using var node = await NodeWithWebAsync();
        var time = new ArmedTime();
        await using var discovery = DiscoveryUnderTest.Of(node, time);
        var provider = discovery.Provider("http://web")!;
        var first = await PopulateAsync(provider);

        node.Told.Service("default/web", Ports, Pod(3));
        await time.ArmedAsync(ServiceWatch.Coalesced, Stop);
        node.Told.Service("default/web", Ports, Pod(4));
        Assert.False(first.Token.HasChanged);
        time.Advance(ServiceWatch.Coalesced);

        await ChangedAsync(first.Token);
        Assert.True(first.Token.HasChanged);
        var second = await PopulateAsync(provider);
        Assert.NotEqual(first.Endpoints, second.Endpoints);
        await provider.DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.10")]
    public async Task A_watch_lives_two_minutes_after_its_last_provider_and_each_provider_counts_once()
    {
        await using var node = await NodeWithWebAsync();
        var time = new FakeTimeProvider();
        await using var discovery = DiscoveryUnderTest.Of(node, time);
        var (one, other) = (discovery.Provider("http://web")!, discovery.Provider("http://_admin.web")!);
        await PopulateAsync(one);

        await one.DisposeAsync();
        await one.DisposeAsync();
        time.Advance(ServiceWatches.Linger);
        Assert.Equal(1, discovery.Watches.Count);

        await other.DisposeAsync();
        time.Advance(ServiceWatches.Linger - TimeSpan.FromSeconds(1));
        Assert.Equal(1, discovery.Watches.Count);
        var again = discovery.Provider("http://web")!;
        time.Advance(ServiceWatches.Linger);
        Assert.Equal(1, discovery.Watches.Count);

        await again.DisposeAsync();
        time.Advance(ServiceWatches.Linger);
        Assert.Equal(0, discovery.Watches.Count);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.11")]
    public async Task Each_snapshot_is_in_an_order_of_its_own()
    {
        await using var node = await NodeWithWebAsync();
        node.Told.Service("default/web", Ports, [.. Enumerable.Range(1, 30).Select(number => Pod(number))]);
        await using var discovery = DiscoveryUnderTest.Of(node);
        var provider = discovery.Provider("http://web")!;

        var orders = new HashSet<string>();
        for (var i = 0; i < 5; i++)
        {
            orders.Add(string.Join(' ', (await PopulateAsync(provider)).Endpoints));
        }

        Assert.Equal(5, orders.Count);
        Assert.Single(orders.Select(order => string.Join(' ', order.Split(' ').Order(StringComparer.Ordinal))).Distinct());
        await provider.DisposeAsync();
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.5.12")]
    [Trait("Row", "ECO-3.5.13")]
    public async Task An_endpoint_says_its_real_scheme_its_Services_name_and_who_found_it()
    {
        await using var node = await NodeWithWebAsync();
        await using var discovery = DiscoveryUnderTest.Of(node);

        var found = await discovery.ResolveAsync("https+http://web", Stop);

        Assert.All(found.Endpoints, endpoint =>
        {
            Assert.Equal("http", Assert.IsType<UriEndPoint>(endpoint.EndPoint).Uri.Scheme);
            Assert.Equal("web.default.svc.cluster.local", endpoint.Features.Get<IHostNameFeature>()!.HostName);
            Assert.Equal("Mesh", endpoint.Features.Get<IServiceEndpointProvider>()!.ToString());
        });
    }

    [Fact(Timeout = 60_000)]
    public async Task An_ExternalName_is_called_by_the_name_it_stands_for()
    {
        await using var node = await NodeWithWebAsync();
        node.Told.Service("default/bank", """ "type":"ExternalName","externalName":"api.bank.example." """);
        await using var discovery = DiscoveryUnderTest.Of(node);

        var found = Assert.Single((await discovery.ResolveAsync("https+http://bank", Stop)).Endpoints);

        Assert.Equal("https://api.bank.example/", found.ToString());
        Assert.Null(found.Features.Get<IHostNameFeature>());
        Assert.Equal(["http://api.bank.example:8080/"], await discovery.AddressesAsync("http://bank:8080", Stop));
    }

    private static ToldPod Pod(int number, string? address = null) => new($"web-{number}", address ?? $"10.0.0.{number}", ("http", 8000 + number), ("admin", 9000 + number));

    private static async Task<NodeUnderTest> NodeWithWebAsync()
    {
        var node = await NodeUnderTest.StartNewAsync(Stop);
        node.Told.Namespace("default");
        node.Told.Service("default/web", Ports, Pod(1), Pod(2));
        node.Told.Synced();
        return node;
    }

    private static async Task<string> ServingAsync(DiscoveryUnderTest discovery, CancellationToken stop)
    {
        try
        {
            return string.Join(' ', await discovery.AddressesAsync("http://web", stop));
        }
        catch (MeshNoReadyEndpointsException none)
        {
            return none.Message;
        }
    }

    private static async Task<(string[] Endpoints, IChangeToken Token)> PopulateAsync(IServiceEndpointProvider provider)
    {
        var builder = new Builder();
        await provider.PopulateAsync(builder, Stop);
        return ([.. builder.Endpoints.Select(endpoint => endpoint.ToString()!)], builder.Token!);
    }

    /// <summary>What the first who asks a node that is away is told, when it has been waited for.</summary>
    private static async Task<ServiceEndpointSource> AfterFirstWaitAsync(DiscoveryUnderTest discovery, ArmedTime time, string address)
    {
        var first = discovery.ResolveAsync(address, Stop).AsTask();
        await time.AdvanceAsync(ServiceWatch.FirstWait, Stop);
        return await first;
    }

    private static async Task ChangedAsync(IChangeToken token)
    {
        var changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var registration = token.RegisterChangeCallback(_ => changed.TrySetResult(), null);
        await changed.Task.WaitAsync(Stop);
    }

    private sealed class Builder : IServiceEndpointBuilder
    {
        public IList<ServiceEndpoint> Endpoints { get; } = [];

        public Microsoft.AspNetCore.Http.Features.IFeatureCollection Features { get; } = new Microsoft.AspNetCore.Http.Features.FeatureCollection();

        public IChangeToken? Token { get; private set; }

        public void AddChangeToken(IChangeToken changeToken) => Token = changeToken;
    }

    /// <summary>An application's own provider, added before Mesh.</summary>
    private sealed class Fixed : IServiceEndpointProviderFactory, IServiceEndpointProvider
    {
        public bool TryCreateProvider(ServiceEndpointQuery query, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IServiceEndpointProvider? provider)
        {
            provider = this;
            return true;
        }

        public ValueTask PopulateAsync(IServiceEndpointBuilder endpoints, CancellationToken cancellationToken)
        {
            endpoints.Endpoints.Add(ServiceEndpoint.Create(new UriEndPoint(new Uri("http://10.7.7.7:7"))));
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
