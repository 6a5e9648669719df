using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Mesh.Hosting.Files;

namespace Mesh.Silo.Certificates;

/// <summary>The administrator's bearer token, and the kubeconfig that carries it (0600 both).</summary>
internal static class AdminAccess
{
    private const int TokenBytes = 32;

    public static string Token(DataDirectory data)
    {
        var path = data.At("admin.token");
        if (!File.Exists(path))
        {
            AtomicFile.Write(path, Encoding.ASCII.GetBytes(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(TokenBytes)) + "\n"));
        }

        return File.ReadAllText(path).Trim();
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
