using System.Globalization;
using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Mesh.Client.AspNetCore;

/// <summary>The addresses of the web server, if the host has one: before it binds, and after.</summary>
internal sealed class ServerAddresses(IConfiguration configuration, IServer? server)
{
    /// <summary>What a Pod with an address of its own listens on when the configuration leaves the port open.</summary>
    private const int DefaultPort = 8080;

    private static readonly char[] Brackets = ['[', ']'];

    /// <summary>False for a server whose addresses are decided elsewhere, such as a test server.</summary>
    public bool CanBind => server is null || Feature is { Addresses.IsReadOnly: false };

    /// <summary>
    /// What the server bound, as a Pod: its ports named by scheme (<c>http</c>, <c>https</c>, then <c>http-2</c> and so on),
    /// and its address when the server listens on a single one that is not the machine's.
    /// </summary>
    public BoundPod Bound()
    {
        var bound = Parse(Feature?.Addresses ?? []).ToList();
        var local = bound.Where(address => IsLocal(address.Host)).ToList();
        var own = local.Count == 0 ? bound.FirstOrDefault()?.Host : null;
        var served = own is null ? local : bound.Where(address => address.Host == own).ToList();
        return new BoundPod(
            own?.Trim(Brackets) ?? MeshOptions.HostAddress, Named(served.Select(address => (address.Scheme, address.Port))), [.. bound.Except(served).Select(address => address.ToString())]);
    }

    /// <summary>The ports that the configuration asks for, before the server binds them.</summary>
    public Dictionary<string, int> Configured() => Named(Parse(ConfiguredUrls()).Select(address => (address.Scheme, PortOf(address))));

    /// <summary>Makes the server bind this address with the configured ports, instead of the configured addresses.</summary>
    public void BindTo(string address)
    {
        if (Feature is not { } feature)
        {
            return;
        }

        var endpoints = ConfiguredEndpoints();
        if (endpoints.Count > 0)
        {
            // Kestrel reads these when it binds; here, not in the server's addresses, stand certificates and protocols.
            endpoints.ForEach(endpoint => endpoint["Url"] = At(address, endpoint["Url"]!));
            return;
        }

        var urls = ConfiguredUrls().Select(url => At(address, url)).ToList();
        feature.Addresses.Clear();
        urls.ForEach(feature.Addresses.Add);
        feature.PreferHostingUrls = true;
    }

    private IServerAddressesFeature? Feature => server?.Features.Get<IServerAddressesFeature>();

    private List<IConfigurationSection> ConfiguredEndpoints() =>
        [.. configuration.GetSection("Kestrel:Endpoints").GetChildren().Where(endpoint => endpoint["Url"] is { Length: > 0 })];

    /// <summary>As the web host reads them: Kestrel's endpoints, what the program added, <c>urls</c>, <c>http_ports</c> and <c>https_ports</c>.</summary>
    private List<string> ConfiguredUrls()
    {
        if (server is null)
        {
            return [];
        }

        if (ConfiguredEndpoints() is { Count: > 0 } endpoints)
        {
            return [.. endpoints.Select(endpoint => endpoint["Url"]!)];
        }

        if (Feature?.Addresses is { Count: > 0 } added)
        {
            return [.. added];
        }

        var urls = List("urls");
        urls = urls.Count > 0 ? urls : [.. List("http_ports").Select(port => $"http://*:{port}"), .. List("https_ports").Select(port => $"https://*:{port}")];
        return urls.Count > 0 ? urls : [$"http://*:{DefaultPort}"];
    }

    private List<string> List(string key) => [.. (configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)];

    private static IEnumerable<BindingAddress> Parse(IEnumerable<string> urls) =>
        urls.Select(BindingAddress.Parse).Where(address => address is { IsUnixPipe: false, IsNamedPipe: false });

    private static string At(string address, string url) =>
        BindingAddress.Parse(url) is { IsUnixPipe: false, IsNamedPipe: false } parsed
            ? string.Create(CultureInfo.InvariantCulture, $"{parsed.Scheme}://{address}:{PortOf(parsed)}")
            : url;

    private static int PortOf(BindingAddress address) => address.Port == 0 ? DefaultPort : address.Port;

    /// <summary>Whether a listener there answers on the machine's address (when the machine is alone, 127.0.0.1): all but single addresses do.</summary>
    private static bool IsLocal(string host) =>
        !IPAddress.TryParse(host.Trim(Brackets), out var address)
        || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.Loopback);

    private static Dictionary<string, int> Named(IEnumerable<(string Scheme, int Port)> ports)
    {
        var named = new Dictionary<string, int>();
        foreach (var sameScheme in ports.Distinct().GroupBy(port => port.Scheme))
        {
            foreach (var (index, (scheme, port)) in sameScheme.Index())
            {
                named[index == 0 ? scheme : $"{scheme}-{index + 1}"] = port;
            }
        }

        return named;
    }
}

/// <summary>What a bound server is as a Pod.</summary>
/// <param name="LeftOut">Addresses that the Pod's one address does not reach.</param>
internal sealed record BoundPod(string Address, IReadOnlyDictionary<string, int> Ports, IReadOnlyList<string> LeftOut);
