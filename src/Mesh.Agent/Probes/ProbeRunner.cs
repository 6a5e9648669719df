using System.Buffers;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using Mesh.Core.Pods;
using Mesh.Core.Routing;
using Mesh.Core.Services;

namespace Mesh.Agent.Probes;

/// <summary>Makes one attempt as a kubelet would: its own connection, no redirects followed, the body not read.</summary>
internal sealed class ProbeRunner(TimeProvider time) : IDisposable
{
    // The path goes out as it was written: /%7Euser and /a/../b are other paths than /~user and /b to some servers.
    private static readonly UriCreationOptions AsWritten = new() { DangerousDisablePathAndQueryCanonicalization = true };

    // Of a path with any other character the escaped form is asked for, without its fragment.
    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%!$&'()*+,;=:@/?");

    private readonly HttpMessageInvoker _http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        AutomaticDecompression = DecompressionMethods.None,
        // A kept connection would hide that nobody accepts any more.
        PooledConnectionLifetime = TimeSpan.Zero,
        MaxResponseDrainSize = 0,
        MaxResponseHeadersLength = 32,
        ActivityHeadersPropagator = null,
#pragma warning disable CA5359 // As the kubelet: who answers is known by its address, not by a certificate.
        SslOptions = new SslClientAuthenticationOptions { RemoteCertificateValidationCallback = static (_, _, _, _) => true },
#pragma warning restore CA5359
    });

    /// <summary>Where no Pod may be, so that no probe goes there: on Mesh's own listener it would find Mesh.</summary>
    public EndpointRule Rule { get; set; } = EndpointRule.Unconfigured;

    /// <summary>Null for success, else what failed.</summary>
    public async Task<ProbeFailure?> TryAsync(ProbeSpec spec, CancellationToken stop)
    {
        if (WhyNever(spec) is { } why)
        {
            return new ProbeFailure(why);
        }

        using var late = new CancellationTokenSource(spec.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(late.Token, stop);
        try
        {
            return spec.Action switch
            {
                null => await PortsAcceptAsync(spec, either.Token),
                ProbeAction.TcpSocket tcp => await ConnectAsync(spec, tcp.Port, either.Token),
                ProbeAction.HttpGet http => await GetAsync(spec, http, either.Token),
                _ => throw new System.Diagnostics.UnreachableException(),
            };
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            return new ProbeFailure($"no answer within {spec.Timeout.TotalSeconds:0.###} s");
        }
    }

    public void Dispose() => _http.Dispose();

    private string? WhyNever(ProbeSpec spec)
    {
        if (Rule.WhyNot(spec.Address) is { } why)
        {
            return $"{spec.Address} {why}";
        }

        foreach (var port in spec.TargetPorts())
        {
            if (Rule.WhyNot(spec.Address, port) is { } own)
            {
                return $"{new IPEndPoint(spec.Address, port)} {own}";
            }
        }

        return null;
    }

    private static async Task<ProbeFailure?> PortsAcceptAsync(ProbeSpec spec, CancellationToken stop)
    {
        foreach (var port in spec.Ports)
        {
            if (port.Protocol == TransportProtocol.Tcp && await ConnectAsync(new IPEndPoint(spec.Address, port.Number), stop) is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    private static async Task<ProbeFailure?> ConnectAsync(ProbeSpec spec, PortReference port, CancellationToken stop) =>
        port.In(spec.Ports) is { } number ? await ConnectAsync(new IPEndPoint(spec.Address, number), stop) : new ProbeFailure($"the Pod has no port named {port.Name}");

    private static async Task<ProbeFailure?> ConnectAsync(IPEndPoint endpoint, CancellationToken stop)
    {
        using var socket = new Socket(endpoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(endpoint, stop);
            // A free port of the ephemeral range can be connected to from itself.
            return socket.LocalEndPoint!.Equals(endpoint) ? new ProbeFailure($"{endpoint}: nobody listens") { IsRefusal = true } : null;
        }
        catch (SocketException failed)
        {
            return new ProbeFailure($"{endpoint}: {failed.Message}") { IsRefusal = failed.SocketErrorCode == SocketError.ConnectionRefused };
        }
    }

    private async Task<ProbeFailure?> GetAsync(ProbeSpec spec, ProbeAction.HttpGet http, CancellationToken stop)
    {
        if (http.Port.In(spec.Ports) is not { } port)
        {
            return new ProbeFailure($"the Pod has no port named {http.Port.Name}");
        }

        // Only ever the Pod's own address (reliability: a probe must not become a way to reach others).
        var path = http.Path.StartsWith('/') ? http.Path : "/" + http.Path;
        var scheme = http.Scheme.Equals("HTTPS", StringComparison.OrdinalIgnoreCase) ? "https" : "http";
        if (!Uri.TryCreate($"{scheme}://{new IPEndPoint(spec.Address, port)}{path}", path.AsSpan().ContainsAnyExcept(PathCharacters) ? default : AsWritten, out var target))
        {
            return new ProbeFailure($"{path} is not a path");
        }

        using var request = new HttpRequestMessage(HttpMethod.Get, target) { Version = HttpVersion.Version11 };
        request.Headers.TryAddWithoutValidation("User-Agent", "kube-probe/mesh");
        request.Headers.TryAddWithoutValidation("Accept", "*/*");
        request.Headers.TryAddWithoutValidation("Connection", "close");
        if (http.Host is { } host)
        {
            request.Headers.Host = host;
        }

        foreach (var (name, value) in http.Headers)
        {
            request.Headers.Remove(name);
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            using var response = await _http.SendAsync(request, stop);
            var status = (int)response.StatusCode;
            return status is >= 200 and < 400 ? null : new ProbeFailure($"HTTP probe failed with status {status}");
        }
        catch (HttpRequestException failed)
        {
            return new ProbeFailure($"{target.Authority}: {failed.Message}")
            {
                IsRefusal = failed.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionRefused },
            };
        }
    }
}

/// <summary>Why an attempt failed.</summary>
internal sealed record ProbeFailure(string Message)
{
    /// <summary>Nobody listens there: evidence of an end, which silence is not (a busy machine answers late).</summary>
    public bool IsRefusal { get; init; }
}
