using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using k8s;
using Mesh.ApiServer.Resources;
using Mesh.ApiServer.Writing;
using Mesh.Storage;
using Mesh.Testing.Processes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Mesh.ApiServer.Tests;

/// <summary>The API as a silo hosts it: Kestrel with TLS on a free port over a real store in a directory of its own.</summary>
public class ApiHost : IAsyncLifetime
{
    public const string Token = "test-token-of-the-administrator";

    private readonly string _directory = TestDirectory.Make("mesh-api-");
    private readonly X509Certificate2 _certificate = SelfSigned();
    private WebApplication? _app;
    private HttpClient? _http;

    /// <summary>Few, so that a test reaches the limit at once.</summary>
    public virtual int MaxWatches => 8;

    public string? NotReady { get; set; }

    public IServiceProvider Services => _app!.Services;

    /// <summary>Without grains every kind goes straight to the store, so that the API is seen alone.</summary>
    protected virtual void ConfigureWriters(WebApplicationBuilder builder) =>
        builder.Services.AddSingleton<IObjectWriters, DirectWriters>();

    protected virtual void ConfigureStorage(IServiceCollection services, string directory) => services.AddMeshStorage(directory);

    public string Kubeconfig => Path.Combine(_directory, "kubeconfig");

    public Uri Url { get; private set; } = new("https://localhost");

    public HttpClient Http => _http!;

    public Kubernetes Client { get; private set; } = null!;

    public IObjectStore Store => _app!.Services.GetRequiredService<IObjectStore>();

    public virtual async ValueTask InitializeAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen => listen.UseHttps(_certificate)));
        ConfigureStorage(builder.Services, Path.Combine(_directory, "store"));
        ConfigureWriters(builder);

        builder.Services.AddMeshApi(options =>
        {
            options.Token = Token;
            options.MaxWatches = MaxWatches;
            options.WhyNotReady = () => NotReady;
        });
        Directory.CreateDirectory(Path.Combine(_directory, "store"));
        _app = builder.Build();
        _app.MapMeshApi();
        await _app.StartAsync(TestContext.Current.CancellationToken);
        Url = new Uri(_app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        await WriteKubeconfigAsync();
        Client = new Kubernetes(KubernetesClientConfiguration.BuildConfigFromConfigFile(Path.Combine(_directory, "kubeconfig")));
        _http = NewClient(Token);
    }

    public HttpClient NewClient(string? token)
    {
        var handler = new SocketsHttpHandler
        {
            EnableMultipleHttp2Connections = true,
            SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => certificate?.GetCertHashString() == _certificate.GetCertHashString() },
        };
        var http = new HttpClient(handler) { BaseAddress = Url };
        if (token is not null)
        {
            http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        }

        return http;
    }

    public virtual async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        Client?.Dispose();
        _http?.Dispose();
        if (_app is not null)
        {
            await _app.StopAsync(CancellationToken.None);
            await _app.DisposeAsync();
        }

        _certificate.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private async Task WriteKubeconfigAsync()
    {
        await File.WriteAllTextAsync(Path.Combine(_directory, "ca.pem"), _certificate.ExportCertificatePem());
        await File.WriteAllTextAsync(Path.Combine(_directory, "kubeconfig"), $"""
            apiVersion: v1
            kind: Config
            clusters: [{"{"}name: mesh, cluster: {"{"}server: "{Url.ToString().TrimEnd('/')}", certificate-authority: "{_directory}/ca.pem"{"}}"}]
            users: [{"{"}name: admin, user: {"{"}token: "{Token}"{"}}"}]
            contexts: [{"{"}name: mesh, context: {"{"}cluster: mesh, user: admin{"}}"}]
            current-context: mesh
            """);
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=mesh-test", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        var now = TimeProvider.System.GetUtcNow();
        using var certificate = request.CreateSelfSigned(now.AddMinutes(-5), now.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}

/// <summary>Commits every kind straight to the store.</summary>
internal sealed class DirectWriters(StoreWriter store) : IObjectWriters
{
    public IObjectWriter For(Resource resource) => store;
}
