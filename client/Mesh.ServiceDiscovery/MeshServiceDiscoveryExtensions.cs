using Mesh.Client;
using Mesh.ServiceDiscovery;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.ServiceDiscovery;

// Where an application that adds services looks already: no using is needed.
namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Lets an application call Services of Mesh by their names.</summary>
public static class MeshServiceDiscoveryExtensions
{
    private static readonly string[] Needed = [nameof(MeshOptions.Enabled), nameof(MeshOptions.NodeUrl), nameof(MeshOptions.Namespace)];

    /// <summary>
    /// Adds Mesh to the providers of Microsoft.Extensions.ServiceDiscovery: clients with <c>AddServiceDiscovery()</c> call
    /// <c>http://my-api-service</c>, <c>https+http://web.shop</c>, <c>http://_admin.web</c> or <c>http://web:8080</c>. No
    /// client is changed by it. Reads <c>Mesh:NodeUrl</c>, <c>Mesh:Namespace</c> and <c>Mesh:Enabled</c>, then <c>MESH_*</c>.
    /// </summary>
    public static IServiceCollection AddMeshServiceDiscovery(this IServiceCollection services)
    {
        services.AddServiceDiscoveryCore();
        if (services.Any(service => service.ServiceType == typeof(ServiceWatches)))
        {
            return services;
        }

        AddOptions(services);
        services.AddOptions<ConfigurationServiceEndpointProviderOptions>();
        services.TryAddSingleton(host => new ServiceWatches(
            host.GetRequiredService<IOptions<MeshOptions>>(), host.GetRequiredService<TimeProvider>(), new Random(), host.GetRequiredService<ILogger<ServiceWatches>>()));
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IServiceEndpointProviderFactory, MeshEndpointProviderFactory>());
        return services;
    }

    /// <summary>
    /// Every HttpClient of IHttpClientFactory, and so every gRPC client and typed client, calls Services by name, and brings
    /// a request whose Pod has died to another. Names that are no Services go to the configuration and to DNS, as before. The
    /// handlers of a client, such as one that tries again, stand around all this: they see the name, and each try is brought to a Pod anew.
    /// </summary>
    public static IServiceCollection AddMeshHttpDefaults(this IServiceCollection services)
    {
        services.AddMeshServiceDiscovery();
        if (services.Any(service => service.ServiceType == typeof(Defaults)))
        {
            return services;
        }

        services.AddSingleton<Defaults>();
        services.AddServiceDiscovery();
        // Before the filter: of two, the one that was added first has the last word, and the log tells of each Pod.
        services.AddHttpClient();
        services.AddSingleton<IHttpMessageHandlerBuilderFilter, InnermostHandlers>();
        return services.ConfigureHttpClientDefaults(static client =>
        {
            // The order counts, and is kept by the filter: around the handler that picks an endpoint, and within it.
            client.AddHttpMessageHandler(static () => new ResendHandler());
            client.AddServiceDiscovery();
            client.AddHttpMessageHandler(static () => new AttemptHandler());
        });
    }

    /// <summary>The few that are needed here, where AddMesh does not read them all; before whatever else sets options, as code wins.</summary>
    private static void AddOptions(IServiceCollection services)
    {
        services.AddOptions();
        services.Insert(0, ServiceDescriptor.Singleton<IConfigureOptions<MeshOptions>>(
            host => new ConfigureOptions<MeshOptions>(options =>
            {
                if (host.GetService<IServiceProviderIsService>()?.IsService(typeof(IMeshRegistration)) != true)
                {
                    Read(options, host.GetService<IConfiguration>());
                }
            })));
    }

    private static void Read(MeshOptions options, IConfiguration? configuration)
    {
        var section = configuration?.GetSection(MeshSettings.Section);
        MeshSettings.Apply(options, Needed.Select(key => new KeyValuePair<string, string?>(key, section?[key])));
        MeshSettings.Apply(options, MeshEnvironment.Settings(Environment.GetEnvironmentVariable).Where(setting => Needed.Contains(setting.Key)));
    }

    private sealed class Defaults;
}
