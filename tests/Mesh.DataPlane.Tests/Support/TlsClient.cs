using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Mesh.DataPlane.Tests.Support;

/// <summary>A TLS client that takes every certificate and says which one it was shown.</summary>
internal sealed class TlsClient : IDisposable
{
    private readonly byte[] _buffer = new byte[16 * 1024];
    private readonly SslStream _stream;
    private string _unread = "";

    private TlsClient(Socket socket) => _stream = new SslStream(new NetworkStream(socket, ownsSocket: true));

    /// <summary>Of the leaf that was shown.</summary>
    public string Thumbprint { get; private set; } = "";

    /// <summary>How many certificates were shown, the leaf included.</summary>
    public int Shown { get; private set; }

    public SslStream Stream => _stream;

    /// <param name="name">Empty: none is asked for.</param>
    public static async Task<TlsClient> ConnectAsync(
        IPEndPoint address, string name, CancellationToken stop, SslProtocols protocols = SslProtocols.None, List<SslApplicationProtocol>? alpn = null)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(address, stop);
        var client = new TlsClient(socket);
        try
        {
            await client._stream.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions
                {
                    TargetHost = name,
                    EnabledSslProtocols = protocols,
                    ApplicationProtocols = alpn,
                    AllowTlsResume = false,
                    CertificateChainPolicy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck },
                    RemoteCertificateValidationCallback = (_, certificate, chain, _) => client.See(certificate, chain),
                },
                stop);
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    public async Task SendAsync(string latin1, CancellationToken stop) => await _stream.WriteAsync(Encoding.Latin1.GetBytes(latin1), stop);

    /// <summary>The next answer, read by its framing; null when the connection ended instead.</summary>
    public async Task<RawAnswer?> AnswerAsync(CancellationToken stop)
    {
        while (true)
        {
            if (RawAnswer.TryTake(ref _unread, toHead: false) is { } answer)
            {
                return answer;
            }

            if (await ReceiveAsync(stop) == 0)
            {
                return null;
            }
        }
    }

    /// <summary>What is left until the other side says that it ends.</summary>
    public async Task<string> ToEndAsync(CancellationToken stop)
    {
        while (await ReceiveAsync(stop) > 0)
        {
        }

        return _unread;
    }

    public void Dispose() => _stream.Dispose();

    private async Task<int> ReceiveAsync(CancellationToken stop)
    {
        var read = await _stream.ReadAsync(_buffer, stop);
        _unread += Encoding.Latin1.GetString(_buffer, 0, read);
        return read;
    }

    private bool See(X509Certificate? certificate, X509Chain? chain)
    {
        Thumbprint = ((X509Certificate2)certificate!).Thumbprint;
        Shown = chain!.ChainPolicy.ExtraStore.Select(shown => shown.Thumbprint).Append(Thumbprint).Distinct().Count();
        return true;
    }
}
