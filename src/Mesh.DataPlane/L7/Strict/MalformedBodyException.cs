using Microsoft.AspNetCore.Http;

namespace Mesh.DataPlane.L7.Strict;

/// <summary>Ends the reading of a body whose framing is wrong; Kestrel closes the connection after it.</summary>
internal sealed class MalformedBodyException(Refusal refusal) : BadHttpRequestException(refusal.Detail, refusal.Status)
{
    public Refusal Refusal => refusal;
}
