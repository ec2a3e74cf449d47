"""What people say around a command: before it, and after it. Parts are told apart by bars."""

from __future__ import annotations

BEFORE = """
edit rule :|rule edit :|rule :|edit rule ,|rule edit|plan is :|here is plan :|so here is plan :|what i would like is this :|what i want is this :|say|do this :|how about we|why don't we|go and|have it|let have it|get it|
so|i would rather|i would rather we|rather|i would much rather|by|that|after that is done|once that is done|when that is done|when done|and once done|and when that is done|plus|also|
after doing that|having done so|after which|at which point|from that point|with that done|that done|for good measure|
what i want is to|what i want is|what i would like is|all i want is|i reckon we should|i reckon we|i reckon|i guess we should|
i feel like|it would be nice if could|it would be great if could|would be great if could|i would appreciate it if could|
i would be grateful if could|can we please|do please|be dear and|be sweet and|any chance could|any chance of|is there way to|
what do say we|what say we|what if we just|why do not we|why don't we|we might as well|might as well|we had better|better|
we need|we want|we would like to|we would like|i am thinking of|i am thinking we should|i am thinking|time for|
it is time for|time we|let me have|let me see|let me|i have decided to|i would suggest|my suggestion is to|my plan is to|plan is to|
ready to|the idea is to|idea is to|hey can|so can|so could|make sure to|make sure that|make sure|remember to|don't forget to|
be sure to|proceed to|continue by|go on to|go on and|move on to|start with|begin with|start off by|let see|see to it that|
i need it to|i want it to|i would like it to|have it|let it|get it to|make it|tell it to|ask it to|command it to|
i would prefer|i would rather have|i prefer|could|can|would|will|i would like to|i would like|i would love to|i want to|i want|i need to|i need|we want to|
we need to|can we|could we|shall we|can i|could i|may i|might we|lets|let s|try to|try|go ahead and|go ahead|
would mind|would be so kind as to|would it be possible to|is it possible to|how about|do favour and|
do favor and|next|afterwards|after that|after which|it is time to|we should|i think we should|i think we|
think we should|be so good as to|then|and then|and|but|for now|finally|in addition|i would like to know|
i want to know|do know|know|tell|i wonder|wonder|i am curious|curious|can tell|let know|i suggest we|i suggest|
let us|it would be good to|it would be nice to|it would be great to|feel free to|i am going to|i will|we will|
this time|instead|once more|mind|be nice and|time to|lets try|lets try to|why not|i guess we|i guess|i think|do|
go and|from there|there|in that case|having done that|once done|when done|after this|thereafter|subsequently|
from here|from this|meanwhile|in new fork|on that fork|on fork|on it|can tell whether|tell whether|i would say|
what about|were to|should like to|i should like to|would it be ok to|is it ok to|need to|want to|help to|help|
i ask to|before anything else|start by|begin by|first of all|first|to begin with|to start with|second|third|
lastly|last|at end|in end|now that"""
AFTER = """
before next steps|before it go on|before anything else|after all|and see what happens|see what happens|and see how it goes|see how it goes|and see|and see how it does|see how it does|and watch|
to see what happens|to be safe|to be sure|just in case|if may|if do not mind|if don't mind|would be nice|would be great|
as soon as possible|as soon as can|without further ado|like that|like this|and that is it|that is all|and nothing else|nothing else|
for good measure|for this run|in run|in this one|for me please|for us|is what i want|is what we want|should do|will do|okay|
from this moment on|from this steps on|from that steps on|for rest of run|for rest of training|for rest|until further notice|
after it|after this|too|this time|at last|by way|along way|as planned|as discussed|as we said|or so|roughly|approximately|about|
from here on|from now on|from here|from this point on|from this point|from this point onwards|from here onwards|
from now onwards|for now|for moment|right away|at once|immediately|at this point|as of now|if possible|if can|
if that is possible|for while|there|in there|on it|on there|straight away|asap|if would|would|will|can|could|
next|then|afterwards|after that|and|instead|first|if that is ok|henceforth|going forward|in fork|on fork|
in that fork|on that fork|as well|once more|from there|from that point on|from that point|thank|many|do think|
would say|if want|for run|in this run|of this run|as next|already|from there on|in what follows|starting here|
starting from here|if does not hurt|when can|at moment|of course"""
