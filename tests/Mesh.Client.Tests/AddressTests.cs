using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.Client.Tests;

/// <summary>A Pod's address and ports are those of its server, whatever its URLs look like.</summary>
public sealed class AddressTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory(Timeout = 60_000)]
    [InlineData("http://*:0", "127.0.0.1", "http")]
    [InlineData("http://127.0.0.1:0;https://127.0.0.1:0;http://[::]:0", "127.0.0.1", "http,http-2,https")]
    [InlineData("http://127.0.0.9:0", "127.0.0.9", "http")]
    [InlineData("http://127.0.0.9:0;http://127.0.0.1:0", "127.0.0.1", "http")]
    [InlineData("http://unix:/tmp/mesh-client-{pid}.sock", "127.0.0.1", "")]
    [Trait("Row", "ECO-3.1.Ports")]
    public async Task Urls_are_ports_named_by_scheme_at_the_address_that_answers(string urls, string address, string names)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        using var certificate = Certificate();
        var builder = HostUnderTest.Web(node, urls: urls.Replace("{pid}", $"{Environment.ProcessId}", StringComparison.Ordinal));
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ConfigureHttpsDefaults(https => https.ServerCertificate = certificate));
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        var pod = await node.SinglePodAsync(Stop);
        Assert.Equal(address, app.Mesh().Identity!.Address.ToString());
        Assert.Equal(names, string.Join(',', pod.Ports().Keys.Order(StringComparer.Ordinal)));
        var bound = app.Urls.Where(url => !url.Contains("unix", StringComparison.Ordinal)).Select(url => new Uri(url.Replace("[::]", "127.0.0.1", StringComparison.Ordinal)).Port);
        Assert.Subset(bound.ToHashSet(), pod.Ports().Values.ToHashSet());
    }

    [Theory(Timeout = 60_000)]
    [InlineData("http://127.0.0.1:0", 0)]
    [InlineData("http://*:18123", 18123)]
    [InlineData("http://localhost:18125", 18125)]
    [Trait("Row", "ECO-3.2.started")]
    public async Task An_allocated_address_is_what_the_server_binds(string urls, int configured)
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        await using var app = await HostUnderTest.StartAsync(HostUnderTest.Web(node, Allocate, urls), Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        var address = app.Mesh().Identity!.Address.ToString();
        Assert.StartsWith("127.87.", address, StringComparison.Ordinal);
        var port = new Uri(app.Urls.Single()).Port;
        Assert.True(configured == 0 || configured == port);
        Assert.Equal(port, (await node.SinglePodAsync(Stop)).Ports()["http"]);
        using var client = new HttpClient();
        Assert.Equal("soup", await client.GetStringAsync($"http://{address}:{port}/", Stop));

        // Another node, which knows nothing of it, gives the same address: the server is bound to it.
        await node.StopAsync();
        await app.Mesh().IsAsync(MeshPodState.Detached, Stop);
        node.Forget();
        await node.StartAsync(Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        Assert.Equal(address, app.Mesh().Identity!.Address.ToString());
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.Ports")]
    public async Task Kestrels_configured_endpoints_bind_the_allocated_address_too_each_named_by_its_protocol()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        var builder = HostUnderTest.Web(node, Allocate);
        builder.Configuration.AddInMemoryCollection([
            new("Kestrel:Endpoints:Web:Url", "http://127.0.0.1:18124"),
            new("Kestrel:Endpoints:Calls:Url", "http://127.0.0.1:18126"),
            new("Kestrel:Endpoints:Calls:Protocols", "Http2"),
        ]);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        Assert.All(app.Urls, url => Assert.Equal(app.Mesh().Identity!.Address.ToString(), new Uri(url).Host));
        var ports = (await node.SinglePodAsync(Stop)).Ports();
        Assert.Equal((18124, 18126), (ports["http"], ports["grpc"]));
    }

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.1.Ports")]
    public async Task Listeners_configured_in_code_bind_the_allocated_address_with_their_own_protocols_and_certificates()
    {
        await using var node = await NodeUnderTest.StartNewAsync(Stop);
        using var certificate = Certificate();
        var socket = Path.Combine(AppContext.BaseDirectory, $"code-{Environment.ProcessId}.sock");
        var builder = HostUnderTest.Web(node, Allocate);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.ListenAnyIP(18127);
            kestrel.ListenLocalhost(18128);
            kestrel.Listen(System.Net.IPAddress.Loopback, 0, listener => listener.UseHttps(certificate));
            kestrel.ListenUnixSocket(socket);
        });
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        var address = app.Mesh().Identity!.Address.ToString();
        var ports = (await node.SinglePodAsync(Stop)).Ports();
        Assert.Equal((18127, 18128), (ports["http"], ports["http-2"]));
        using var client = new HttpClient(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = (_, shown, _, _) => shown!.GetCertHashString() == certificate.GetCertHashString() } });
        foreach (var url in (string[])[$"http://{address}:18127", $"http://{address}:18128", $"https://{address}:{ports["https"]}"])
        {
            Assert.Equal("soup", await client.GetStringAsync(url, Stop));
        }

        Assert.True(File.Exists(socket));
    }

    [Theory(Timeout = 60_000)]
    [InlineData(false)]
    [InlineData(true)]
    [Trait("Row", "ECO-3.2.started")]
    public async Task An_allocated_address_that_cannot_be_bound_is_given_back_and_it_binds_as_configured(bool namesPorts)
    {
        await using var node = new NodeUnderTest { PodCidr = "192.0.2.0/24" }; // no machine has these (RFC 5737)
        await node.StartAsync(Stop);
        var builder = HostUnderTest.Web(
            node,
            options =>
            {
                Allocate(options);
                if (namesPorts)
                {
                    options.Ports["named"] = 9;
                }
            },
            "http://127.0.0.1:0;http://127.0.0.1:18129");
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        Assert.All(app.Urls, url => Assert.Equal("127.0.0.1", new Uri(url).Host));
        var pod = await node.SinglePodAsync(Stop);
        Assert.Equal("127.0.0.1", app.Mesh().Identity!.Address.ToString());
        Assert.Equal(namesPorts ? [9] : app.Urls.Select(url => new Uri(url).Port).Order(), pod.Ports().Values.Order());
    }

    [Theory(Timeout = 60_000)]
    [InlineData(true)]
    [InlineData(false)]
    [Trait("Row", "ECO-3.1.Ports")]
    [Trait("Row", "ECO-3.2.started")]
    public async Task A_named_port_that_the_server_could_not_bind_at_the_allocated_address_is_not_said_to_be_there(bool namesOthers)
    {
        var range = new SomeRange();
        await using var node = new NodeUnderTest { PodCidr = range.Cidr };
        await node.StartAsync(Stop);
        using var taken = range.TakePort();
        var lines = new LogLines();
        var builder = HostUnderTest.Web(
            node,
            options =>
            {
                Allocate(options);
                options.Ports["api"] = taken.Number;
                if (namesOthers)
                {
                    options.Ports["metrics"] = 9464; // of a listener that Mesh does not know
                }
            },
            $"http://127.0.0.1:0;http://{range.Outside}:{taken.Number}");
        builder.Logging.AddProvider(lines);
        await using var app = await HostUnderTest.StartAsync(builder, Stop);
        await app.Mesh().IsAsync(MeshPodState.Ready, Stop);

        var (address, ports) = (app.Mesh().Identity!.Address, (await node.SinglePodAsync(Stop)).Ports());
        if (namesOthers)
        {
            Assert.True(range.Contains(address), address.ToString());
            Assert.Equal([new("metrics", 9464)], ports);
            Assert.Contains($"Warning: A Pod has one address: port api ({taken.Number}) takes no traffic through Mesh, as the Pod is at '{address}'", lines.Written);
        }
        else
        {
            Assert.Equal(range.Outside, address);
            Assert.Equal([new("api", taken.Number)], ports);
            using var client = new HttpClient();
            Assert.Equal("soup", await client.GetStringAsync($"http://{address}:{taken.Number}/", Stop));
        }
    }

    [Fact]
    public void An_address_is_waited_for_2_s_at_most() => Assert.Equal(TimeSpan.FromSeconds(2), new MeshOptions().AllocateTimeout);

    [Fact(Timeout = 60_000)]
    [Trait("Row", "ECO-3.2.started")]
    public async Task Without_an_address_in_time_it_binds_as_configured_and_registers_that()
    {
        await using var node = NodeUnderTest.Away();
        var time = new ArmedTime();
        var builder = HostUnderTest.Web(node, options =>
        {
            Allocate(options);
            options.AllocateTimeout = TimeSpan.FromMilliseconds(1999);
        }).With(time);
        var starting = HostUnderTest.StartAsync(builder, Stop);
        await time.AdvanceAsync(TimeSpan.FromMilliseconds(1999), Stop);
        await using var app = await starting;
        var port = new Uri(app.Urls.Single()).Port;
        Assert.StartsWith("http://127.0.0.1:", app.Urls.Single(), StringComparison.Ordinal);

        await node.StartAsync(Stop);
        var registered = app.Mesh().IsAsync(MeshPodState.Ready, Stop);
        await Testing.Eventually.Is(
            "the Pod is registered",
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(100));
                return registered.IsCompleted;
            },
            true,
            TimeSpan.FromSeconds(30));
        Assert.Equal(("127.0.0.1", port), (app.Mesh().Identity!.Address.ToString(), (await node.SinglePodAsync(Stop)).Ports()["http"]));
    }

    private static void Allocate(MeshOptions options) => (options.Address, options.AllocateTimeout) = ("allocate", TimeSpan.FromSeconds(20));

    /// <summary>Four addresses that a node gives, and one beside them; of this process alone, as each has its own of 127.0.0.0/8.</summary>
    private sealed class SomeRange
    {
        private readonly byte[] _first = [127, (byte)(101 + ((Environment.ProcessId >> 14) & 7)), (byte)(Environment.ProcessId >> 6), (byte)(Environment.ProcessId << 2)];

        public string Cidr => $"{At(0)}/30";

        public IPAddress Outside => new([127, (byte)(_first[1] + 10), _first[2], _first[3]]);

        public bool Contains(IPAddress address) => Enumerable.Range(0, 4).Any(i => At(i).Equals(address));

        /// <summary>A port that is free outside, and somebody else's at each address of the range.</summary>
        public TakenPort TakePort()
        {
            using var outside = new TcpListener(Outside, 0);
            outside.Start();
            return new TakenPort(((IPEndPoint)outside.LocalEndpoint).Port, [.. Enumerable.Range(0, 4).Select(At)]);
        }

        private IPAddress At(int i) => new([_first[0], _first[1], _first[2], (byte)(_first[3] + i)]);
    }

    private sealed class TakenPort : IDisposable
    {
        private readonly List<TcpListener> _held;

        public TakenPort(int number, IEnumerable<IPAddress> addresses)
        {
            (Number, _held) = (number, [.. addresses.Select(address => new TcpListener(address, number))]);
            _held.ForEach(listener => listener.Start());
        }

        public int Number { get; }

        public void Dispose() => _held.ForEach(listener => listener.Dispose());
    }

    private static X509Certificate2 Certificate()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddMinutes(-1), now.AddHours(1));
    }
}
