using System.Net;
using Mesh.Client.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;

namespace Mesh.Client.AspNetCore;

/// <summary>The addresses of Kestrel, or of another server that tells them; a host may have none.</summary>
internal sealed class ServerAddresses(IConfiguration configuration, AllocatedTransport transport, IServer? server = null) : IPodServer
{
    private static readonly char[] Brackets = ['[', ']'];

    public bool IsNone => server is null;

    public bool CanBind => server is null || Feature is { Addresses.IsReadOnly: false };

    public IPAddress? BindAt
    {
        get => transport.Address;
        set => transport.Address = value;
    }

    public IReadOnlySet<int> BoundThere => transport.Ports;

    public IReadOnlySet<int> BoundElsewhere => AsConfigured().Select(address => address.Port).ToHashSet();

    /// <summary>
    /// What the server bound as it was configured, as a Pod: its ports named by protocol (<c>http</c>, <c>https</c>, <c>grpc</c>, then
    /// <c>http-2</c> and so on), and its address when the server listens on a single one that is not the machine's.
    /// </summary>
    public BoundPod Bound()
    {
        var bound = AsConfigured().ToList();
        var local = bound.Where(address => IsLocal(address.Host)).ToList();
        var own = local.Count == 0 ? bound.FirstOrDefault()?.Host : null;
        return Pod(own?.Trim(Brackets) ?? MeshOptions.HostAddress, bound, own is null ? local : bound.Where(address => address.Host == own));
    }

    /// <summary>Whatever the server calls the addresses there, these ports were bound.</summary>
    public BoundPod Bound(IPAddress allocated)
    {
        var bound = Parse(Feature?.Addresses ?? []).ToList();
        return Pod(allocated.ToString(), bound, bound.Where(address => transport.Ports.Contains(address.Port)));
    }

    public IEnumerable<int> Wildcards => Parse(Feature?.Addresses ?? [])
        .Where(address => !IPAddress.TryParse(address.Host.Trim(Brackets), out var host) ? address.Host is "*" or "+" : WildcardPorts.IsWildcard(host))
        .Select(address => address.Port)
        .Distinct();

    private BoundPod Pod(string at, List<BindingAddress> bound, IEnumerable<BindingAddress> served)
    {
        var ours = served.ToList();
        return new BoundPod(at, Named(ours.Select(address => (Protocol(address), address.Port))), [.. bound.Except(ours).Select(address => address.ToString())]);
    }

    private IEnumerable<BindingAddress> AsConfigured() => Parse(Feature?.Addresses ?? []).Where(address => !transport.Ports.Contains(address.Port));

    private IServerAddressesFeature? Feature => server?.Features.Get<IServerAddressesFeature>();

    /// <summary>Only HTTP/2 without TLS is gRPC; which protocols an endpoint speaks, Kestrel tells for those of the configuration.</summary>
    private string Protocol(BindingAddress address)
    {
        var kestrel = configuration.GetSection("Kestrel");
        var endpoint = kestrel.GetSection("Endpoints").GetChildren().FirstOrDefault(one => Parse([one["Url"] ?? ""]).Any(url => url.Port == address.Port));
        var protocols = endpoint?["Protocols"] ?? kestrel["EndpointDefaults:Protocols"];
        return address.Scheme == "http" && string.Equals(protocols, "Http2", StringComparison.OrdinalIgnoreCase) ? "grpc" : address.Scheme;
    }

    private static IEnumerable<BindingAddress> Parse(IEnumerable<string> urls) =>
        urls.Where(url => url.Length > 0).Select(BindingAddress.Parse).Where(address => address is { IsUnixPipe: false, IsNamedPipe: false });

    /// <summary>Whether a listener there answers on the machine's address (when the machine is alone, 127.0.0.1): all but single addresses do.</summary>
    private static bool IsLocal(string host) =>
        !IPAddress.TryParse(host.Trim(Brackets), out var address)
        || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.Equals(IPAddress.Loopback);

    private static Dictionary<string, int> Named(IEnumerable<(string Protocol, int Port)> ports)
    {
        var named = new Dictionary<string, int>();
        foreach (var same in ports.Distinct().GroupBy(port => port.Protocol))
        {
            var count = 0;
            foreach (var (protocol, port) in same)
            {
                count++;
                named[count == 1 ? protocol : $"{protocol}-{count}"] = port;
            }
        }

        return named;
    }
}
