using Mesh.ServiceDiscovery;
using Microsoft.Extensions.ServiceDiscovery;
using Xunit;

namespace Mesh.Client.Tests.Discovery;

/// <summary>Which port of a Service an address means, and what is spoken there.</summary>
public sealed class PortTests
{
    [Theory]
    [InlineData("http://web", "http:80 admin:9090", "http 80")]
    [InlineData("http://web:9090", "http:80 admin:9090", "http 9090")]
    [InlineData("http://_admin.web", "http:80 admin:9090", "http 9090")]
    [InlineData("http://_admin.web:80", "http:80 admin:9090", "http 9090")]
    [InlineData("https+http://web", "http:80 https:443", "https 443")]
    [InlineData("http+https://web", "http:80 https:443", "http 80")]
    [InlineData("https+http://web", "http:80 admin:9090", "http 80")]
    [InlineData("https+http://web", "one:80/https two:81/http", "https 80")]
    [InlineData("http://web", "one:80/https two:81/http", "http 81")]
    [InlineData("https+http://web", ":8080", "http 8080")]
    [InlineData("https+http://web", "main:8080", "http 8080")]
    [InlineData("https+http://web", "https-main:8443", "https 8443")]
    [InlineData("https+http://web", "main:8443/https", "https 8443")]
    [InlineData("https+http://web", "https:8080/kubernetes.io/h2c", "http 8080")]
    [InlineData("http://web", "grpc:50051", "http 50051")]
    [InlineData("https+http://web", "grpc:50051", "http 50051")]
    [InlineData("https+http://web", "grpc-main:50051/grpc", "http 50051")]
    [InlineData("https://web", "grpc:50051/https", "https 50051")]
    [InlineData("https://web", "main:8080", "https 8080")]
    [InlineData("redis://cache", "redis:6379 metrics:9100", "redis 6379")]
    [InlineData("web", "https:443", "https 443")]
    [InlineData("web:80", "https:443 http:80", "http 80")]
    [Trait("Row", "ECO-3.5.15")]
    public void The_port_is_chosen_by_name_then_number_then_scheme_then_what_it_speaks_then_as_the_only_one(string address, string ports, string chosen)
    {
        var (port, scheme) = Choose(address, ports);

        Assert.Equal(chosen, $"{scheme} {port.Number}");
    }

    [Theory]
    [InlineData("http://_metrics.web", "http:80 admin:9090", "Service default/web has no port metrics; it has 80 (http), 9090 (admin)")]
    [InlineData("http://web:8080", "http:80 admin:9090", "Service default/web has no port 8080; it has 80 (http), 9090 (admin)")]
    [InlineData("http://web", "main:80 admin:9090", "Service default/web has several ports, and the address names none (as in http://_main.web); it has 80 (main), 9090 (admin)")]
    [InlineData("http://web", "", "Service default/web has no TCP port; it has none")]
    [InlineData("https://web", "http:80", "Service default/web: port 80 (http) speaks http, and the address asks for https")]
    [InlineData("https://web", "grpc:50051", "Service default/web: port 50051 (grpc) speaks http, and the address asks for https")]
    [InlineData("https://web", "main:50051/grpc", "Service default/web: port 50051 (main) speaks http, and the address asks for https")]
    [InlineData("http://web", "main:443/https", "Service default/web: port 443 (main) speaks https, and the address asks for http")]
    [Trait("Row", "ECO-3.5.15")]
    [Trait("Row", "ECO-3.5.12")]
    public void What_fits_no_port_is_told_with_the_ports_there_are(string address, string ports, string sentence)
    {
        var told = Assert.Throws<MeshDiscoveryException>(() => Choose(address, ports));

        Assert.Equal(("default/web", sentence), (told.Service, told.Message));
    }

    [Fact]
    public void Schemes_that_the_application_does_not_allow_are_not_spoken()
    {
        var options = new ServiceDiscoveryOptions { AllowAllSchemes = false, AllowedSchemes = ["http"] };
        Assert.True(ServiceEndpointQuery.TryParse("https+http://web", out var query));

        var (port, scheme) = PortChoice.From(query, options).Of(Web, Known("https:443 http:80"));

        Assert.Equal(("http", 80), (scheme, port.Number));
    }

    private static MeshServiceName Web { get; } = new("default", "web", null);

    private static (KnownPort Port, string Scheme) Choose(string address, string ports)
    {
        Assert.True(ServiceEndpointQuery.TryParse(address, out var query));
        return PortChoice.From(query, new ServiceDiscoveryOptions()).Of(Web, Known(ports));
    }

    /// <param name="ports"><c>name:number/appProtocol</c>.</param>
    private static KnownService Known(string ports) => new(
        "web.default.svc.cluster.local",
        null,
        [
            .. ports.Split(' ', StringSplitOptions.RemoveEmptyEntries)
                .Select(text => (Name: text.Split(':')[0], Number: text.Split(':')[1].Split('/', 2)))
                .Select(port => new KnownPort(port.Name, int.Parse(port.Number[0], System.Globalization.CultureInfo.InvariantCulture), port.Number.ElementAtOrDefault(1), [], 0, 0)),
        ],
        1);
}
