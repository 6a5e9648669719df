using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Mesh.Hosting.Files;
using Mesh.Hosting.Processes;

namespace Mesh.Silo.Certificates;

/// <summary>The administrator's bearer token, and the kubeconfig that carries it (0600 both).</summary>
internal static class AdminAccess
{
    private const int TokenBytes = 32;
    private const int ShortestToken = 16;

    public static string Token(DataDirectory data)
    {
        var path = data.At("admin.token");
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes)) + "\n"));
        }

        var token = File.ReadAllText(path).Trim();
        return token.Length >= ShortestToken && token.All(c => c is > ' ' and < '\x7f')
            ? token
            : throw new StartRefusedException(
                $"{path} holds no token of at least {ShortestToken} printable characters: remove it, and a new one is made");
    }

    /// <summary>Written anew at each start: the address may have changed.</summary>
    public static void WriteKubeconfig(DataDirectory data, string server, string authorityPem, string token) =>
        AtomicFile.Write(data.Kubeconfig, Encoding.UTF8.GetBytes(
            $"""
            apiVersion: v1
            kind: Config
            clusters:
            - name: mesh
              cluster:
                server: {server}
                certificate-authority-data: {Convert.ToBase64String(Encoding.ASCII.GetBytes(authorityPem + "\n"))}
            users:
            - name: admin
              user:
                token: {token}
            contexts:
            - name: mesh
              context:
                cluster: mesh
                user: admin
            current-context: mesh

            """));
}
