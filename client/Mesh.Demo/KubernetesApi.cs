using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json;
using YamlDotNet.Serialization;

namespace Mesh.Demo;

/// <summary>The Kubernetes API as any client sees it: address, CA and token from a kubeconfig file.</summary>
internal sealed class KubernetesApi : IDisposable
{
    private static readonly IDeserializer Yaml = new DeserializerBuilder().WithAttemptingUnquotedStringTypeDeserialization().Build();
    private static readonly ISerializer Json = new SerializerBuilder().JsonCompatible().Build();

    // Of a watch it limits the time to the headers, not to the changes.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _http;
    private readonly X509Certificate2 _authority;

    private KubernetesApi(Uri server, X509Certificate2 authority, string token)
    {
        _authority = authority;
        _http = new HttpClient(Handler(authority)) { BaseAddress = server, Timeout = Patience };
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    }

    public static KubernetesApi FromKubeconfig(string path)
    {
        using var config = JsonDocument.Parse(ToJson(File.ReadAllText(path)));
        var cluster = config.RootElement.GetProperty("clusters")[0].GetProperty("cluster");
        var user = config.RootElement.GetProperty("users")[0].GetProperty("user");
        var authority = X509CertificateLoader.LoadCertificate(PemBytes(cluster.GetProperty("certificate-authority-data").GetString()!));
        return new KubernetesApi(new Uri(cluster.GetProperty("server").GetString()!), authority, user.GetProperty("token").GetString()!);
    }

    /// <summary>Creates every object of a YAML file in its namespace (default: <c>default</c>).</summary>
    public async Task<IReadOnlyList<string>> CreateAllAsync(string file, CancellationToken stop)
    {
        var created = new List<string>();
        foreach (var document in (await File.ReadAllTextAsync(file, stop)).Split("\n---\n"))
        {
            created.Add(await CreateAsync(ToJson(document), stop));
        }

        return created;
    }

    /// <summary>Creates one object in namespace <c>default</c>; how kubectl would call it.</summary>
    public async Task<string> CreateAsync(string json, CancellationToken stop)
    {
        using var parsed = JsonDocument.Parse(json);
        var kind = parsed.RootElement.GetProperty("kind").GetString()!;
        var name = parsed.RootElement.GetProperty("metadata").GetProperty("name").GetString()!;
        using var content = new StringContent(json, Encoding.UTF8, "application/json");
        using var response = await _http.PostAsync(Collection(kind), content, stop);
        await EnsureAsync(response, stop);
        return $"{kind.ToLowerInvariant()}/{name}";
    }

    public async Task<JsonElement> GetAsync(string path, CancellationToken stop)
    {
        using var response = await _http.GetAsync(path, stop);
        await EnsureAsync(response, stop);
        using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(stop), default, stop);
        return document.RootElement.Clone();
    }

    public async Task<string> GetTextAsync(string path, CancellationToken stop)
    {
        using var response = await _http.GetAsync(path, stop);
        await EnsureAsync(response, stop);
        return await response.Content.ReadAsStringAsync(stop);
    }

    /// <summary>Name, uid and ClusterIP (of what has one) of every object of a collection.</summary>
    public async Task<IEnumerable<(string Name, string Identity)>> IdentitiesAsync(string path, CancellationToken stop)
    {
        var list = await GetAsync(path, stop);
        return list.GetProperty("items").EnumerateArray().Select(item =>
        {
            var metadata = item.GetProperty("metadata");
            var address = item.TryGetProperty("spec", out var spec) && spec.TryGetProperty("clusterIP", out var clusterIP) ? $" {clusterIP}" : "";
            return (metadata.GetProperty("name").GetString()!, $"{metadata.GetProperty("uid")}{address}");
        });
    }

    /// <summary>Type and object of each change from now on, until the caller has seen enough.</summary>
    public async IAsyncEnumerable<(string Type, JsonElement Object)> WatchAsync(
        string path,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken stop)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path + "?watch=true");
        using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, stop);
        await EnsureAsync(response, stop);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        while (await reader.ReadLineAsync(stop) is { } line)
        {
            using var change = JsonDocument.Parse(line);
            yield return (change.RootElement.GetProperty("type").GetString()!, change.RootElement.GetProperty("object").Clone());
        }
    }

    public void Dispose()
    {
        _http.Dispose();
        _authority.Dispose();
    }

    private static string Collection(string kind) => kind switch
    {
        "Service" => "/api/v1/namespaces/default/services",
        "Secret" => "/api/v1/namespaces/default/secrets",
        "Ingress" => "/apis/networking.k8s.io/v1/namespaces/default/ingresses",
        _ => throw new ArgumentException(string.Create(CultureInfo.InvariantCulture, $"The demo has no {kind}."), nameof(kind)),
    };

    private static async Task EnsureAsync(HttpResponseMessage response, CancellationToken stop)
    {
        if (response.StatusCode is not (HttpStatusCode.OK or HttpStatusCode.Created))
        {
            throw new HttpRequestException($"{(int)response.StatusCode}: {await response.Content.ReadAsStringAsync(stop)}");
        }
    }

    private static string ToJson(string yaml) => Json.Serialize(Yaml.Deserialize<object>(yaml));

    private static byte[] PemBytes(string base64)
    {
        var pem = Encoding.ASCII.GetString(Convert.FromBase64String(base64));
        var fields = System.Security.Cryptography.PemEncoding.Find(pem);
        return Convert.FromBase64String(pem[fields.Base64Data]);
    }

    private static SocketsHttpHandler Handler(X509Certificate2 authority) => new()
    {
        UseProxy = false,
        SslOptions =
        {
            CertificateChainPolicy = new X509ChainPolicy
            {
                TrustMode = X509ChainTrustMode.CustomRootTrust,
                CustomTrustStore = { authority },
                RevocationMode = X509RevocationMode.NoCheck,
            },
        },
    };
}
