namespace Mesh.Core.Services;

public static class TransportProtocols
{
    /// <summary>As Kubernetes writes it: <c>TCP</c>, <c>UDP</c> or <c>SCTP</c>.</summary>
    public static string Word(this TransportProtocol protocol) => protocol.ToString().ToUpperInvariant();
}
