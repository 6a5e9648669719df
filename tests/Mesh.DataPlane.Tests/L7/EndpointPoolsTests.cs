using Mesh.Core.Routing;
using Mesh.DataPlane.L7;
using Mesh.DataPlane.L7.Carrier;
using Mesh.DataPlane.Tests.Support;
using Xunit;

namespace Mesh.DataPlane.Tests.L7;

/// <summary>Which kept connections there are, while Services and endpoints come and go under requests.</summary>
public sealed class EndpointPoolsTests : IDisposable
{
    private readonly SomeRoutes _routes = new();
    private readonly EndpointPools _pools;

    public EndpointPoolsTests()
    {
        _routes.Service("web", "127.97.0.1", 80, new SomePod("web-1", L4Host.FreeClusterIP()));
        _routes.Synced();
        _pools = new EndpointPools(_routes.Published, new IngressOptions(), TimeProvider.System);
    }

    private Target Target => _routes.Published.Current.Services[SomeRoutes.Name("web")].Ports[0].Usable[0];

    [Fact]
    public void A_pool_is_kept_as_long_as_its_endpoint_is_usable()
    {
        var pool = _pools.For(SomeRoutes.Name("web"), Target);
        _pools.Retain(SomeRoutes.Name("web"), [EndpointKey.Of(Target)]);

        Assert.True(pool.IsKept);
        Assert.Same(pool, _pools.For(SomeRoutes.Name("web"), Target));
    }

    [Fact]
    public void Of_a_deleted_Service_nothing_is_left()
    {
        _pools.For(SomeRoutes.Name("web"), Target);
        _routes.RemoveService("web");
        _pools.Retain(SomeRoutes.Name("web"), []);

        Assert.Equal(0, _pools.Count);
    }

    [Fact]
    public void A_request_with_an_older_snapshot_brings_no_pool_back()
    {
        var older = Target;
        _routes.Service("web", "127.97.0.1", 80);
        _pools.Retain(SomeRoutes.Name("web"), []);

        using var pool = _pools.For(SomeRoutes.Name("web"), older);

        Assert.False(pool.IsKept);
        Assert.Equal(0, _pools.Count);
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "DP-D10")]
    public async Task A_request_that_comes_too_late_for_its_connections_is_told_that_nothing_of_it_was_sent()
    {
        var pool = _pools.For(SomeRoutes.Name("web"), Target);
        _pools.Retain(SomeRoutes.Name("web"), []);
        using var request = new HttpRequestMessage(HttpMethod.Post, pool.Prefix);

        await Assert.ThrowsAsync<RetiredException>(() => pool.Invoker.SendAsync(request, TestContext.Current.CancellationToken));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "DP-D10")]
    public async Task What_is_disposed_while_a_request_is_under_way_is_no_sign_that_nothing_was_sent()
    {
        using var invoker = new EndpointInvoker(new Broken());
        using var request = new HttpRequestMessage(HttpMethod.Post, "http://127.0.0.1");

        await Assert.ThrowsAsync<ObjectDisposedException>(() => invoker.SendAsync(request, TestContext.Current.CancellationToken));
    }

    public void Dispose() => _pools.Dispose();

    private sealed class Broken : HttpMessageHandler
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            await Task.Yield();
            throw new ObjectDisposedException("a stream");
        }
    }
}
