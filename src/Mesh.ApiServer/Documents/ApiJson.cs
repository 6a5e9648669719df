namespace Mesh.ApiServer.Documents;

/// <summary>How the API reads JSON.</summary>
internal static class ApiJson
{
    /// <summary>Deeper documents are refused: recursion over them would cost stack.</summary>
    public const int MaxDepth = 64;
}
