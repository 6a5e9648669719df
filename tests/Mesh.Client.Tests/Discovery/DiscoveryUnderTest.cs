using Mesh.ServiceDiscovery;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.ServiceDiscovery;

namespace Mesh.Client.Tests.Discovery;

/// <summary>Service discovery of one application, as its container holds it, against a node of this process.</summary>
internal sealed class DiscoveryUnderTest : IAsyncDisposable
{
    public const string Ports = """ "clusterIP":"127.96.0.7","clusterIPs":["127.96.0.7"],"ports":[{"name":"http","port":80},{"name":"admin","port":9090}]""";

    private readonly ServiceProvider _services;

    private DiscoveryUnderTest(ServiceProvider services) => _services = services;

    public IServiceProvider Services => _services;

    public ServiceWatches Watches => _services.GetRequiredService<ServiceWatches>();

    /// <param name="compose">What the application adds; Mesh and the two usual providers without it.</param>
    public static DiscoveryUnderTest Of(
        NodeUnderTest node, TimeProvider? time = null, Action<IServiceCollection>? compose = null, Action<MeshOptions>? configure = null, params (string Key, string Value)[] configuration)
    {
        var services = new ServiceCollection();
        services.AddSingleton<IConfiguration>(new ConfigurationBuilder()
            .AddInMemoryCollection(configuration.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value))).Build());
        services.AddSingleton(time ?? TimeProvider.System);
        services.Configure<MeshOptions>(options =>
        {
            options.NodeUrl = node.Url;
            configure?.Invoke(options);
        });
        (compose ?? (added => added.AddMeshServiceDiscovery().AddServiceDiscovery()))(services);
        return new DiscoveryUnderTest(services.BuildServiceProvider());
    }

    public ValueTask<ServiceEndpointSource> ResolveAsync(string address, CancellationToken stop) =>
        _services.GetRequiredService<ServiceEndpointResolver>().GetEndpointsAsync(address, stop);

    /// <summary>The addresses that a name stands for, in an order of their own.</summary>
    public async Task<string[]> AddressesAsync(string address, CancellationToken stop) =>
        [.. (await ResolveAsync(address, stop)).Endpoints.Select(endpoint => endpoint.ToString()!).Order(StringComparer.Ordinal)];

    public MeshEndpointProviderFactory Factory() =>
        _services.GetServices<IServiceEndpointProviderFactory>().OfType<MeshEndpointProviderFactory>().Single();

    public IServiceEndpointProvider? Provider(string address) =>
        ServiceEndpointQuery.TryParse(address, out var query) && Factory().TryCreateProvider(query, out var provider) ? provider : null;

    public ValueTask DisposeAsync() => _services.DisposeAsync();
}
