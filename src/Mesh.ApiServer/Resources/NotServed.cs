namespace Mesh.ApiServer.Resources;

/// <summary>The words for what is stored untouched and has no effect yet.</summary>
internal static class NotServed
{
    public const string Words = "is stored, and not served in this version";
}
