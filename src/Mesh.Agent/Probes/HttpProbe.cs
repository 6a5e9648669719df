using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using Mesh.Core.Pods;
using Mesh.Core.Routing;

namespace Mesh.Agent.Probes;

/// <summary>
/// An httpGet probe as the kubelet makes it (pkg/probe/http): each header as it was written, also twice; a redirect is followed
/// on the same host, and one to another host has passed. Of the body as much is read as the kubelet reads, so that a server is
/// not cut off in its answer; what it says is of no interest.
/// </summary>
internal static class HttpProbe
{
    private const int MostRedirects = 10;
    private const int MostOfBody = 10 * 1024;

    /// <param name="rule">Where no probe goes, nor does a redirect lead it there.</param>
    public static async Task<ProbeOutcome> TryAsync(ProbeSpec spec, ProbeAction.HttpGet http, EndpointRule rule, CancellationToken stop)
    {
        if (http.Port.In(spec.Ports) is not { } port)
        {
            return new ProbeOutcome.Failed($"the Pod has no port named {http.Port.Name}");
        }

        var isTls = http.Scheme.Equals("HTTPS", StringComparison.OrdinalIgnoreCase);
        var target = ProbeUri.Of(isTls, new IPEndPoint(spec.Address, port), http.Path);
        for (var redirects = 0; target is not null; redirects++)
        {
            if (rule.WhyNot(target.At.Address, target.At.Port) is { } never)
            {
                return new ProbeOutcome.Failed($"{target.At} {never}");
            }

            var (outcome, location) = await AskAsync(target, http, stop);
            if (location is null)
            {
                return outcome;
            }

            if (redirects == MostRedirects)
            {
                return new ProbeOutcome.Failed($"stopped after {MostRedirects} redirects");
            }

            if (!target.TryFollow(location, out target))
            {
                return new ProbeOutcome.Failed($"redirected to {location}, which is no address of a page");
            }
        }

        return ProbeOutcome.Passed.Instance;
    }

    /// <summary>The status of an answer decides; of a redirect the location is told.</summary>
    private static async Task<(ProbeOutcome Outcome, string? Location)> AskAsync(ProbeUri target, ProbeAction.HttpGet http, CancellationToken stop)
    {
        if (ProbeRequest.Of(target, http) is not { } request)
        {
            return (new ProbeOutcome.Failed("the path or a header has characters that cannot be sent"), null);
        }

        try
        {
            using var connection = await ProbeSocket.ConnectAsync(target.At, stop);
            await using Stream stream = new NetworkStream(connection.Socket);
            await using var talk = target.IsTls ? await SecureAsync(stream, request.Host, stop) : stream;
            await talk.WriteAsync(request.Bytes, stop);
            var reader = new ProbeAnswerReader(talk);
            if (await reader.ReadAsync(stop) is not { } answer)
            {
                return (new ProbeOutcome.Failed($"{target.At}: what came is no answer of HTTP/1.1"), null);
            }

            connection.Answered(await reader.SkipBodyAsync(MostOfBody, stop));
            return answer switch
            {
                { IsRedirect: true, Location: { } location } => (ProbeOutcome.Passed.Instance, location),
                { Status: >= 200 and < 400 } => (ProbeOutcome.Passed.Instance, null),
                _ => (new ProbeOutcome.Failed($"HTTP probe failed with status {answer.Status}"), null),
            };
        }
        catch (SocketException failed)
        {
            return (ProbeOutcome.Of(failed, target.At.ToString()), null);
        }
        catch (IOException failed)
        {
            return (new ProbeOutcome.Failed($"{target.At}: {failed.Message}"), null);
        }
        catch (AuthenticationException failed)
        {
            return (new ProbeOutcome.Failed($"{target.At}: {failed.Message}"), null);
        }
    }

    private static async Task<Stream> SecureAsync(Stream stream, string host, CancellationToken stop)
    {
        var secure = new SslStream(stream);
        try
        {
            await secure.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = ProbeUri.NameOf(host),
                    ApplicationProtocols = [SslApplicationProtocol.Http11],
#pragma warning disable CA5359 // As the kubelet: who answers is known by its address, not by a certificate.
                    RemoteCertificateValidationCallback = static (_, _, _, _) => true,
#pragma warning restore CA5359
                },
                stop);
            return secure;
        }
        catch
        {
            await secure.DisposeAsync();
            throw;
        }
    }
}
