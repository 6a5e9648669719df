using System.Globalization;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Mesh.Client.AspNetCore;

/// <summary>The addresses of the web server, if the host has one: before it binds, and after.</summary>
internal sealed class ServerPorts(IConfiguration configuration, IServer? server)
{
    /// <summary>What a Pod with an address of its own listens on when the configuration leaves the port open.</summary>
    private const int DefaultPort = 8080;

    public static ServerPorts From(IServiceProvider services) =>
        new(services.GetRequiredService<IConfiguration>(), services.GetService<IServer>());

    /// <summary>The ports that the server bound, named by scheme: <c>http</c>, <c>https</c>, then <c>http-2</c> and so on.</summary>
    public Dictionary<string, int> Bound() => Named(Addresses?.Addresses.Select(BindingAddress.Parse) ?? []);

    /// <summary>The ports that the configuration asks for, before the server binds them.</summary>
    public Dictionary<string, int> Configured() => Named(ConfiguredAddresses().Select(address => (address.Scheme, PortOf(address))));

    /// <summary>Makes the server bind this address with the configured ports, instead of the configured addresses.</summary>
    public void BindTo(string address)
    {
        if (Addresses is not { Addresses.IsReadOnly: false } feature)
        {
            return;
        }

        var urls = ConfiguredAddresses().Select(configured => $"{configured.Scheme}://{address}:{PortOf(configured)}").ToList();
        feature.Addresses.Clear();
        urls.ForEach(feature.Addresses.Add);
        feature.PreferHostingUrls = true;
    }

    private IServerAddressesFeature? Addresses => server?.Features.Get<IServerAddressesFeature>();

    private static int PortOf(BindingAddress address) => address.Port == 0 ? DefaultPort : address.Port;

    private static Dictionary<string, int> Named(IEnumerable<BindingAddress> addresses) =>
        Named(addresses.Where(address => !address.IsUnixPipe).Select(address => (address.Scheme, address.Port)));

    private static Dictionary<string, int> Named(IEnumerable<(string Scheme, int Port)> ports)
    {
        var named = new Dictionary<string, int>();
        foreach (var (scheme, port) in ports.Distinct())
        {
            var count = named.Keys.Count(name => name == scheme || name.StartsWith(scheme + "-", StringComparison.Ordinal));
            named[count == 0 ? scheme : $"{scheme}-{count + 1}"] = port;
        }

        return named;
    }

    private IEnumerable<BindingAddress> ConfiguredAddresses()
    {
        if (server is null)
        {
            return [];
        }

        var urls = (configuration["urls"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Concat(PortList("http_ports").Select(port => $"http://*:{port}"))
            .Concat(PortList("https_ports").Select(port => $"https://*:{port}"))
            .ToList();
        return (urls.Count == 0 ? [$"http://*:{DefaultPort}"] : urls).Select(BindingAddress.Parse).Where(address => !address.IsUnixPipe);
    }

    private IEnumerable<int> PortList(string key) =>
        (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(port => int.Parse(port, CultureInfo.InvariantCulture));
}
