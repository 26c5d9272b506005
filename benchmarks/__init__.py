"""Side by side with other tools, on the same studies in one run: `./run.sh bench`. No part of the product."""
