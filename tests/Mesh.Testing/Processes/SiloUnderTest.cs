using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Mesh.Testing.Processes;

/// <summary>
/// A machine with Mesh: a data directory of its own, free ports, a real mesh-silo and the mesh-node it starts. Both can
/// be killed and started again; what is left when the test ends is killed and removed.
/// </summary>
public sealed partial class SiloUnderTest : IAsyncDisposable
{
    private static readonly TimeSpan StartTime = TimeSpan.FromSeconds(45);

    private readonly IReadOnlyDictionary<string, string>? _environment;
    private readonly List<ProcessUnderTest> _started = [];
    private readonly string[] _extra;

    private SiloUnderTest(string dataDir, string[] extra, IReadOnlyDictionary<string, string>? environment)
    {
        DataDir = dataDir;
        _extra = extra;
        _environment = environment;
    }

    public string DataDir { get; }

    /// <summary>What the next start runs.</summary>
    public string Program { get; set; } = BuiltProgram.Silo;

    /// <summary>What the next start runs it through, such as <c>setpriv</c> with its options; it must become the program.</summary>
    public string[] Through { get; set; } = [];

    /// <summary>What the next start is told for <c>--ingress-http</c>.</summary>
    public string IngressHttp { get; set; } = "127.0.0.1:0";

    /// <summary>What the next start is told for <c>--ingress-https</c>.</summary>
    public string IngressHttps { get; set; } = "127.0.0.1:0";

    /// <summary>What the next start is told for <c>--dns-listen</c>.</summary>
    public string DnsListen { get; set; } = "127.0.0.1:0";

    public ProcessUnderTest Process => _started[^1];

    public int SiloPid => ReadPid("silo.pid");

    public int NodePid => ReadPid("node.pid");

    public Uri NodeUrl => new($"http://{Address("node")}");

    public Uri ApiUrl => new($"https://{Address("api")}");

    public Uri IngressUrl => new($"http://127.0.0.1:{IPEndPoint.Parse(Address("ingressHttp")).Port}");

    public IPEndPoint IngressTls => new(IPAddress.Loopback, IPEndPoint.Parse(Address("ingressHttps")).Port);

    public IPEndPoint Dns => IPEndPoint.Parse(Address("dns"));

    public string Kubeconfig => Path.Combine(DataDir, "admin.kubeconfig");

    public string NodeLog => File.ReadAllText(Path.Combine(DataDir, "node.log"));

    /// <summary>A data directory without any process yet.</summary>
    public static SiloUnderTest Prepare(string[]? extra = null, IReadOnlyDictionary<string, string>? environment = null) =>
        new(TestDirectory.Make("mesh-test-"), extra ?? [], environment);

    /// <summary>Both processes up and ready.</summary>
    public static async Task<SiloUnderTest> StartNewAsync(string[]? extra = null, IReadOnlyDictionary<string, string>? environment = null)
    {
        var silo = Prepare(extra, environment);
        try
        {
            await silo.StartAsync();
            return silo;
        }
        catch
        {
            await silo.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether the last row of what a start tells has come too, in either form: text comes line by line.</summary>
    public static bool HasToldAll(string output) =>
        output.Contains("start again", StringComparison.Ordinal) || output.Contains("start_again", StringComparison.Ordinal);

    /// <summary>Starts mesh-silo, without waiting for it.</summary>
    public ProcessUnderTest Launch()
    {
        string[] line =
        [
            .. Through, Program, "--data-dir", DataDir, "--api-listen", "127.0.0.1:0", "--node-listen", "127.0.0.1:0", "--ingress-http", IngressHttp,
            "--ingress-https", IngressHttps, "--dns-listen", DnsListen, "--silo-port", "0", .. _extra,
        ];
        var process = ProcessUnderTest.Start(line[0], line[1..], _environment);
        _started.Add(process);
        return process;
    }

    public async Task StartAsync()
    {
        var process = Launch();
        await Eventually.Meets(
            "mesh-silo starts",
            _ => Task.FromResult(process),
            seen => seen.HasExited || HasToldAll(seen.Output),
            StartTime);
        if (process.HasExited)
        {
            throw new InvalidOperationException($"mesh-silo ended: {process.Output}{process.Errors}");
        }
    }

    public async Task KillSiloAsync(CancellationToken stop)
    {
        Signals.Kill(Process.Pid);
        await Process.WaitForExitAsync(stop);
    }

    /// <summary>Ctrl-C; the exit code.</summary>
    public async Task<int> StopAsync(CancellationToken stop)
    {
        Signals.Interrupt(Process.Pid);
        return await Process.WaitForExitAsync(stop);
    }

    /// <summary>The Kubernetes API with the administrator's token and the cluster's own CA.</summary>
    public HttpClient Api()
    {
        var kubeconfig = File.ReadAllText(Kubeconfig);
        var authority = X509CertificateLoader.LoadCertificate(PemBytes(Convert.FromBase64String(Authority().Match(kubeconfig).Groups[1].Value)));
        var handler = new SocketsHttpHandler { PooledConnectionIdleTimeout = TimeSpan.FromSeconds(1) };
        handler.SslOptions.CertificateChainPolicy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { authority },
            RevocationMode = X509RevocationMode.NoCheck,
        };
        return new HttpClient(handler)
        {
            BaseAddress = ApiUrl,
            DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", Token().Match(kubeconfig).Groups[1].Value) },
        };
    }

    public string Address(string name)
    {
        using var book = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(DataDir, "addresses.json")));
        return book.RootElement.GetProperty(name).GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var process in _started)
        {
            await process.DisposeAsync();
        }

        // The silo is dead, so nobody starts the node again.
        if (File.Exists(Path.Combine(DataDir, "node.pid")) && IsNode(NodePid))
        {
            Signals.Continue(NodePid);
            Signals.Kill(NodePid);
        }

        Directory.Delete(DataDir, recursive: true);
    }

    /// <summary>The pid file outlives its process, and pids are used again.</summary>
    private bool IsNode(int pid)
    {
        try
        {
            return File.ReadAllText($"/proc/{pid}/cmdline").Contains(DataDir, StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private int ReadPid(string file) => int.Parse(File.ReadAllText(Path.Combine(DataDir, file)).Trim(), CultureInfo.InvariantCulture);

    private static byte[] PemBytes(byte[] pem) => X509Certificate2.CreateFromPem(System.Text.Encoding.ASCII.GetString(pem)).RawData;

    [GeneratedRegex("certificate-authority-data: (\\S+)")]
    private static partial Regex Authority();

    [GeneratedRegex("token: (\\S+)")]
    private static partial Regex Token();
}
