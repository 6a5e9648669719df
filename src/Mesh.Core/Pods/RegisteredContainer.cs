using Mesh.Core.Names;

namespace Mesh.Core.Pods;

/// <summary>The one container that the API shows of a Pod that registered itself.</summary>
public static class RegisteredContainer
{
    /// <summary>Nothing is pulled or started; the field is required.</summary>
    public const string Image = "process";

    /// <summary>
    /// The Pod's name, where a container may have it; of a longer one, or one with dots, what a container's name (a DNS
    /// label) can hold of it. The same for the same Pod, always.
    /// </summary>
    public static string NameOf(string pod)
    {
        if (DnsLabel.IsValid(pod))
        {
            return pod;
        }

        var label = pod.Replace('.', '-');
        return label[..Math.Min(label.Length, DnsLabel.MaxLength)].TrimEnd('-');
    }
}
